//! `selfie bench export`

use crate::compile::bench::{Latency, Measured, Plan, SUBJECTS, Side, Subject, export_here};
use crate::paired::{median, ratio};
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
            "opset {}; {exports} exports in a process each, without its start; medians; of the files, which run in turn, the median \
             of the ratios of neighbours, and where it lies 19 times in 20",
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
    let mut table = Table::new([*name, "selfie", &torch, "torch / selfie", "95 %"]);
    let mut row = |label: &str, [ours, theirs]: [f64; 2], digits: usize, ratio: String, between: String| {
        table.row([label.to_owned(), format!("{ours:.digits$}"), format!("{theirs:.digits$}"), ratio, between]);
    };
    let of = |figure: fn(&Side) -> f64| [figure(ours), figure(theirs)];
    for (label, digits, both) in [
        ("first export, s", 2, of(|side| side.export.seconds[0])),
        ("later exports, s", 2, of(|side| median(&side.export.seconds[1..]))),
        ("peak memory, MB", 0, of(|side| side.export.peak_bytes as f64 / 1e6)),
        ("before the export, MB", 0, of(|side| side.export.before_bytes as f64 / 1e6)),
        ("nodes", 0, of(|side| side.nodes as f64)),
        ("file, MB", 3, of(|side| side.bytes as f64 / 1e6)),
    ] {
        row(label, both, digits, format!("{:.3}", both[1] / both[0]), String::new());
    }
    for Latency { batch, ours, theirs, .. } in &latency.batches {
        let label = format!("ONNX Runtime {}, batch {batch}, ms", latency.version);
        let (ratio, [low, high]) = ratio(ours, theirs);
        let both = [ours, theirs].map(|seconds| median(seconds) * 1e3);
        row(&label, both, 2, format!("{ratio:.3}"), format!("{low:.2} to {high:.2}"));
    }
    println!("{what}\n{table}");
}
