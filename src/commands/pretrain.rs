//! `selfie pretrain`

use super::training::{TrainingArguments, print};

/// Arguments of `selfie pretrain`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    training: TrainingArguments,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        print(&selfie_train::pretrain::run(&self.training.options())?);
        Ok(())
    }
}
