//! The same networks with the same weights through this compiler and through `torch.onnx.export`, side by side.

mod own;
mod subject;
mod torch;

pub use own::export_here;
pub use subject::{SUBJECTS, Subject};

use anyhow::{Context, ensure};
use selfie_export::inspect_file;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use torch::Torch;

/// How far the answers of the two files may be apart, as a part of the largest number.
const SAME: f64 = 1e-3;

/// What is measured, and how often.
pub struct Plan {
    /// A Python with `torch`, `onnxscript` and `onnxruntime`.
    pub python: PathBuf,
    /// Version of ONNX's operators, for both.
    pub opset: i64,
    /// Exports in each process; the first is cold.
    pub exports: usize,
    /// Rounds of a batch of 32; a batch of 1 runs ten times as often.
    pub rounds: usize,
}

/// What an export took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Exported {
    /// Seconds of each export, without the start of the process and without reading the weights.
    pub seconds: Vec<f64>,
    /// Peak memory of the process before its first export, with the network in it.
    pub before_bytes: u64,
    /// Peak memory after its first export.
    pub peak_bytes: u64,
    /// Version of the compiler.
    pub version: String,
}

/// A compiler and its file.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// What the export took.
    pub export: Exported,
    /// Nodes of the graph.
    pub nodes: usize,
    /// Size of the file.
    pub bytes: u64,
}

/// Seconds of runs of two files in turn.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Latency {
    /// Images of a run.
    pub batch: usize,
    /// Of our file.
    pub ours: Vec<f64>,
    /// Of PyTorch's file.
    pub theirs: Vec<f64>,
    /// Largest difference of the answers, as a part of the largest number.
    pub difference: f64,
}

/// Runs at every batch size.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Latencies {
    /// One a batch size.
    pub batches: Vec<Latency>,
    /// Version of ONNX Runtime.
    pub version: String,
}

/// One network, both ways.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// Name of the network.
    pub name: &'static str,
    /// What it is.
    pub what: &'static str,
    /// This compiler.
    pub ours: Side,
    /// PyTorch.
    pub theirs: Side,
    /// Both files in ONNX Runtime.
    pub latency: Latencies,
}

impl Plan {
    /// Measures one network.
    ///
    /// # Errors
    /// An export fails, or the two files answer differently.
    pub fn run(&self, subject: &'static Subject) -> anyhow::Result<Measured> {
        let torch = Torch::find(&self.python)?;
        let folder = tempfile::tempdir().context("no folder for the files can be made")?;
        let [weights, ours, theirs] =
            ["weights.safetensors", "ours.onnx", "theirs.onnx"].map(|name| folder.path().join(name));
        subject.write_weights(&weights)?;
        let own = own::export_apart(subject, &weights, &ours, self.opset, self.exports)?;
        let other = torch.export(subject, &weights, &theirs, self.opset, self.exports)?;
        let latency = torch.latency(subject, &ours, &theirs, &[(1, self.rounds * 10), (32, self.rounds)])?;
        for Latency { batch, difference, .. } in &latency.batches {
            ensure!(
                *difference <= SAME,
                "the two files of {} differ by {difference:.1e} of the largest number at batch {batch}, so they are not \
                 the same network",
                subject.name
            );
        }
        let (ours, theirs) = (side(own, &ours)?, side(other, &theirs)?);
        Ok(Measured { name: subject.name, what: subject.what, ours, theirs, latency })
    }
}

fn side(export: Exported, file: &Path) -> anyhow::Result<Side> {
    let nodes = inspect_file(file)?.operators.iter().map(|operator| operator.count).sum();
    let bytes = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?.len();
    Ok(Side { export, nodes, bytes })
}
