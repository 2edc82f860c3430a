//! Our export, in a process of its own so that its peak of memory is its own.

use super::{Exported, Subject};
use crate::compile::source::export;
use crate::compile::{InputForm, Passes, PrecisionOptions, Request};
use crate::memory::peak_bytes;
use anyhow::{Context, ensure};
use selfie_models::device;
use selfie_models::network::Network;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Exports a network as often as asked, in this process.
pub fn export_here(name: &str, weights: &Path, out: &Path, opset: i64, times: usize) -> anyhow::Result<Exported> {
    let subject = Subject::named(name)?;
    let device = device::open("cpu")?;
    let network = Network::Classifier(subject.read(weights, &device)?);
    let request = Request {
        source: weights,
        out,
        name: None,
        opset: Some(opset),
        batch: None,
        input: InputForm::F32,
        external_data: false,
        precision: PrecisionOptions::default(),
        passes: Passes::default(),
    };
    let memory = || peak_bytes().context("this system does not tell how much memory a process took");
    let (before_bytes, mut peak_bytes, mut seconds) = (memory()?, 0, Vec::with_capacity(times));
    let outputs = [("embedding", 0), ("logits", 0)];
    for round in 0..times {
        let start = Instant::now();
        export(&network, &[2, 3, subject.side, subject.side], &request, &outputs, &device)?.save(out)?;
        seconds.push(start.elapsed().as_secs_f64());
        if round == 0 {
            peak_bytes = memory()?;
        }
    }
    Ok(Exported { seconds, before_bytes, peak_bytes, version: env!("CARGO_PKG_VERSION").to_owned() })
}

/// The same in a process of its own: this program with hidden arguments.
pub fn export_apart(
    subject: &Subject,
    weights: &Path,
    out: &Path,
    opset: i64,
    times: usize,
) -> anyhow::Result<Exported> {
    let program = std::env::current_exe().context("this program does not find itself")?;
    let output = Command::new(program)
        .args([
            "bench",
            "export",
            "--opset",
            &opset.to_string(),
            "--exports",
            &times.to_string(),
            "--one",
            subject.name,
        ])
        .args([weights, out])
        .output()
        .context("this program does not start a second time")?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "our export of {} failed: {}", subject.name, text.trim());
    serde_json::from_slice(&output.stdout).context("our export answered with something else than JSON")
}
