//! `selfie finetune`

use super::training::{Training, TrainingArguments};
use selfie_train::{Options, finetune};
use std::path::PathBuf;

const FINE_TUNING: Training =
    Training { run: finetune::run, forecast: finetune::forecast, find_learning_rate: finetune::find_learning_rate };

/// Arguments of `selfie finetune`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    training: TrainingArguments,
    /// Weights to start from: the run folder of a pretraining, an import or a fine-tuning, or a file that ends with .safetensors,
    /// .pt, .pth or .bpk, with our names or torchvision's; without it the network starts from scratch.
    #[arg(long, visible_alias = "from", value_name = "RUN|FILE")]
    init: Option<PathBuf>,
    /// Part of the labels to train with, the same part of every class: `5%` or `0.05`.
    #[arg(long, value_name = "PART", value_parser = crate::options::fraction)]
    labels: Option<f64>,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let options = Options { init: self.init, labels: self.labels, ..self.training.options() };
        self.training.carry_out(&FINE_TUNING, &options)
    }
}
