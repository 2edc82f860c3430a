//! `selfie finetune`

use super::training::{TrainingArguments, print};
use selfie_train::Options;
use std::path::PathBuf;

/// Arguments of `selfie finetune`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    training: TrainingArguments,
    /// Run folder of the pretraining to start from; without it the network starts from scratch.
    #[arg(long, value_name = "RUN")]
    init: Option<PathBuf>,
    /// Part of the labels to train with, the same part of every class: `5%` or `0.05`.
    #[arg(long, value_name = "PART", value_parser = crate::options::fraction)]
    labels: Option<f64>,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let options = Options { init: self.init, labels: self.labels, ..self.training.options() };
        print(&selfie_train::finetune::run(&options)?);
        Ok(())
    }
}
