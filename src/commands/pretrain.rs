//! `selfie pretrain`

use super::training::{Training, TrainingArguments};
use selfie_train::pretrain;

const PRETRAINING: Training =
    Training { run: pretrain::run, forecast: pretrain::forecast, find_learning_rate: pretrain::find_learning_rate };

/// Arguments of `selfie pretrain`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    training: TrainingArguments,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        self.training.carry_out(&PRETRAINING, &self.training.options())
    }
}
