//! PyTorch's export, and ONNX Runtime in Python over two files in turn.

use super::{Exported, Latencies, Subject};
use anyhow::{Context, ensure};
use serde::de::DeserializeOwned;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

const SCRIPT: &str = include_str!("torch_export.py");

const PACKAGES: &str = "import torch, onnxscript, onnxruntime";

/// A Python with `torch`, `onnxscript` and `onnxruntime`.
pub struct Torch {
    python: PathBuf,
}

impl Torch {
    /// Asks whether it starts and has the packages, before anything is measured.
    pub fn find(python: &Path) -> anyhow::Result<Self> {
        let place = python.display();
        let output = Command::new(python).args(["-c", PACKAGES]).output();
        let output = output.with_context(|| format!("{place} does not start"))?;
        let text = String::from_utf8_lossy(&output.stderr);
        let last = text.trim().lines().last().unwrap_or_default();
        ensure!(
            output.status.success(),
            "{place} lacks a package ({last}); `{place} -m pip install torch onnxscript onnxruntime` brings all"
        );
        Ok(Self { python: python.to_owned() })
    }

    /// Exports a network as often as asked, in a process of its own.
    pub fn export(
        &self,
        subject: &Subject,
        weights: &Path,
        out: &Path,
        opset: i64,
        times: usize,
    ) -> anyhow::Result<Exported> {
        let numbers = [opset.to_string(), times.to_string()].map(OsString::from);
        let mut arguments: Vec<OsString> = vec!["export".into(), subject.name.into(), weights.into(), out.into()];
        arguments.extend(numbers);
        self.ask(arguments)
    }

    /// Runs two files in turn at each batch size, as many rounds as are given for it.
    pub fn latency(
        &self,
        subject: &Subject,
        ours: &Path,
        theirs: &Path,
        plan: &[(usize, usize)],
    ) -> anyhow::Result<Latencies> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let side = subject.side.to_string();
        let mut arguments: Vec<OsString> = vec!["latency".into(), ours.into(), theirs.into()];
        arguments.extend(["3", &side, &side, &threads.to_string()].map(OsString::from));
        arguments.extend(plan.iter().map(|(batch, rounds)| OsString::from(format!("{batch}:{rounds}"))));
        self.ask(arguments)
    }

    /// The JSON object that the script prints as its last line.
    fn ask<T: DeserializeOwned>(&self, arguments: Vec<OsString>) -> anyhow::Result<T> {
        let python = self.python.display();
        let output = Command::new(&self.python).args(["-c", SCRIPT]).args(arguments).output();
        let output = output.with_context(|| format!("{python} does not start"))?;
        let text = String::from_utf8_lossy(&output.stderr);
        let last = text.trim().lines().last().unwrap_or("nothing was said").to_owned();
        ensure!(output.status.success(), "{python} failed: {last}");
        let answer = String::from_utf8_lossy(&output.stdout);
        let answer = answer.trim().lines().last().unwrap_or_default();
        serde_json::from_str(answer).with_context(|| format!("{python} answered {answer:?} instead of figures"))
    }
}
