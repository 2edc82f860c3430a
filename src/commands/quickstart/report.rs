//! What the quickstart did: a file and a table.

use crate::compile::Compiled;
use crate::table::Table;
use selfie_train::Summary;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What the quickstart did, as `summary.json` keeps it.
#[derive(Serialize)]
pub(super) struct Report {
    pub(super) data: String,
    pub(super) labelled: Option<String>,
    pub(super) seed: u64,
    pub(super) pretrain: Summary,
    pub(super) finetune: Option<Summary>,
    pub(super) from_scratch: Option<Summary>,
    #[serde(flatten)]
    pub(super) model: Model,
    pub(super) gallery: Option<Gallery>,
    pub(super) seconds: f64,
    pub(super) peak_memory_bytes: Option<u64>,
}

/// The compiled model.
#[derive(Serialize)]
pub(super) struct Model {
    model: PathBuf,
    model_bytes: u64,
    model_nodes: usize,
    verified: Vec<Verified>,
}

/// The compiled model against Burn in one runtime.
#[derive(Serialize)]
struct Verified {
    runtime: &'static str,
    batch: usize,
    output: String,
    largest_error: f64,
}

/// The vectors of the images, to search among them.
#[derive(Serialize)]
pub(super) struct Gallery {
    pub(super) file: PathBuf,
    pub(super) images: usize,
}

impl From<Compiled> for Model {
    fn from(compiled: Compiled) -> Self {
        let verified = compiled.rows.into_iter().map(|row| Verified {
            runtime: row.runner,
            batch: row.batch,
            output: row.output,
            largest_error: row.max_abs_error,
        });
        let verified = verified.collect();
        Self { model: compiled.path, model_bytes: compiled.bytes, model_nodes: compiled.nodes, verified }
    }
}

impl Report {
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        Ok(selfie_models::saved::write_atomically(path, text.as_bytes())?)
    }

    pub(super) fn print(&self) {
        let mut table = Table::new(["stage", "seconds", "images/s", "what came out"]);
        let percent = |summary: &Summary, metric: &str| match summary.metrics.get(metric) {
            Some(value) => format!("{:.1} %", value * 100.0),
            None => "unknown".to_owned(),
        };
        let mut trained = |stage: &str, summary: &Summary, outcome: String| {
            let speed = format!("{:.0}", summary.images_per_second);
            table.row([stage.to_owned(), format!("{:.0}", summary.seconds), speed, outcome]);
        };
        let chance = percent(&self.pretrain, "chance_accuracy");
        let pretext = percent(&self.pretrain, "test_accuracy");
        trained("pretrain", &self.pretrain, format!("{pretext} of the masked patches put right (chance {chance})"));
        for (stage, summary) in [("fine-tune", &self.finetune), ("from scratch", &self.from_scratch)] {
            if let Some(summary) = summary {
                let accuracy = percent(summary, "test_accuracy");
                trained(stage, summary, format!("{accuracy} of the test images classified right"));
            }
        }
        let mut row = |stage: &str, seconds: String, outcome: String| {
            table.row([stage.to_owned(), seconds, String::new(), outcome]);
        };
        let Model { model_bytes, model_nodes, verified, .. } = &self.model;
        let (worst, megabytes) =
            (verified.iter().map(|row| row.largest_error).fold(0.0, f64::max), *model_bytes as f64 / 1e6);
        row("compile", String::new(), format!("{model_nodes} nodes, {megabytes:.2} MB, largest error {worst:.1e}"));
        if let Some(gallery) = &self.gallery {
            row("embed", String::new(), format!("{} images to search among", gallery.images));
        }
        let memory =
            self.peak_memory_bytes.map_or(String::new(), |bytes| format!("peak memory {} MB", bytes / 1_000_000));
        row("all", format!("{:.0}", self.seconds), memory);
        println!("\n{table}");
    }
}
