//! What pretraining and fine-tuning take and print alike.

use crate::table::Table;
use selfie_train::run::REPORT_FILE;
use selfie_train::{Options, Summary};
use std::path::PathBuf;

/// Arguments of a training run.
#[derive(clap::Args)]
pub struct TrainingArguments {
    /// A built-in recipe or a TOML file.
    #[arg(long, value_name = "NAME|FILE")]
    pub recipe: String,
    /// Data set instead of the recipe's; `selfie data list` shows them.
    #[arg(long, value_name = "SPEC")]
    pub data: Option<String>,
    /// Run folder to make.
    #[arg(long, value_name = "RUN")]
    pub out: PathBuf,
    /// Seed of weights, data order, masks and dropout.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Where to compute: cpu, or vulkan, cuda, metal, webgpu where built in, with :N for one of several.
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    pub device: String,
    /// A setting on top of the recipe, with dots, as in `network.pooling.layers=2`. Repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Write the metrics for TensorBoard as well, into the run folder.
    #[arg(long)]
    pub tensorboard: bool,
    /// Leave damaged images out and count them, instead of ending with an error.
    #[arg(long)]
    pub skip_damaged: bool,
    /// Go on with the run in the folder from its last checkpoint.
    #[arg(long)]
    pub resume: bool,
}

impl TrainingArguments {
    /// As the training room takes them.
    pub fn options(self) -> Options {
        Options {
            data: self.data,
            seed: self.seed,
            device: self.device,
            set: self.set.into_iter().chain(self.tensorboard.then(|| "tensorboard=true".into())).collect(),
            skip_damaged: self.skip_damaged,
            resume: self.resume,
            ..Options::new(self.recipe, self.out)
        }
    }
}

/// Prints what a run gave.
pub fn print(summary: &Summary) {
    let mut table = Table::new(["metric", "value"]);
    table.row(["steps".into(), summary.steps.to_string()]);
    table.row(["seconds".into(), format!("{:.1}", summary.seconds)]);
    table.row(["images/s".into(), format!("{:.0}", summary.images_per_second)]);
    for (name, value) in &summary.metrics {
        table.row([name.clone(), format!("{value:.4}")]);
    }
    println!("{table}\nrun: {}", summary.run.display());
    println!("report: {}", summary.run.join(REPORT_FILE).display());
}
