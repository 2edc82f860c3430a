//! `selfie bench export`

use crate::compile::bench::{Measured, Plan, SUBJECTS, Subject, export_here, median};
use crate::table::Table;
use anyhow::Context;
use std::path::PathBuf;

/// Arguments of `selfie bench export`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A Python that can import torch, onnxscript and onnxruntime; `pip install torch onnxscript onnxruntime` makes one.
    #[arg(long, value_name = "PYTHON", required_unless_present = "one")]
    python: Option<PathBuf>,
    /// Version of ONNX's operators, for both compilers.
    #[arg(long, default_value_t = 20, value_name = "N")]
    opset: i64,
    /// Exports by each compiler, the first of them cold.
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u16).range(2..))]
    exports: u16,
    /// Runs of each file at a batch of 32; a batch of 1 runs ten times as often.
    #[arg(long, default_value_t = 15, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Measure these networks alone.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    only: Vec<String>,
    /// A file for every figure, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Export one network here and print what it took: how the command measures itself.
    #[arg(long, hide = true, num_args = 3, value_names = ["NAME", "WEIGHTS", "OUT"])]
    one: Option<Vec<PathBuf>>,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let exports = usize::from(self.exports);
        if let Some([name, weights, out]) = self.one.as_deref() {
            let name = name.to_string_lossy();
            println!("{}", serde_json::to_string(&export_here(&name, weights, out, self.opset, exports)?)?);
            return Ok(());
        }
        let python = self.python.context("--python names no Python")?;
        let plan = Plan { python, opset: self.opset, exports, rounds: usize::from(self.rounds) };
        let subjects: Vec<&'static Subject> = match self.only.as_slice() {
            [] => SUBJECTS.iter().collect(),
            names => names.iter().map(|name| Subject::named(name)).collect::<anyhow::Result<_>>()?,
        };
        let measured = subjects.into_iter().map(|subject| plan.run(subject)).collect::<anyhow::Result<Vec<_>>>()?;
        measured.iter().for_each(print);
        println!(
            "opset {}; {exports} exports in a process each, without its start; files run in turn, medians",
            self.opset
        );
        if let Some(path) = self.json {
            let text = serde_json::to_string_pretty(&measured)?;
            std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

/// A table of one network; a ratio above 1 is in our favour.
fn print(measured: &Measured) {
    let Measured { name, what, ours, theirs, latency } = measured;
    let torch = format!("torch {}", theirs.export.version);
    let mut table = Table::new([*name, "selfie", &torch, "torch / selfie"]);
    let mut row = |label: String, ours: f64, theirs: f64, digits: usize| {
        let ratio = format!("{:.3}", theirs / ours);
        table.row([label, format!("{ours:.digits$}"), format!("{theirs:.digits$}"), ratio]);
    };
    let megabytes = |bytes: u64| bytes as f64 / 1e6;
    let seconds = [&ours.export.seconds, &theirs.export.seconds];
    row("first export, s".into(), seconds[0][0], seconds[1][0], 2);
    row("later exports, s".into(), median(&seconds[0][1..]), median(&seconds[1][1..]), 2);
    row("peak memory, MB".into(), megabytes(ours.export.peak_bytes), megabytes(theirs.export.peak_bytes), 0);
    row("before the export, MB".into(), megabytes(ours.export.before_bytes), megabytes(theirs.export.before_bytes), 0);
    row("nodes".into(), ours.nodes as f64, theirs.nodes as f64, 0);
    row("file, MB".into(), megabytes(ours.bytes), megabytes(theirs.bytes), 3);
    for runs in &latency.batches {
        let label = format!("ONNX Runtime {}, batch {}, ms", latency.version, runs.batch);
        row(label, median(&runs.ours) * 1e3, median(&runs.theirs) * 1e3, 2);
    }
    println!("{what}\n{table}");
}
