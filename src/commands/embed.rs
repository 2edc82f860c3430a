//! `selfie embed`

use super::offline;
use selfie_serve::offline::Task;

/// Arguments of `selfie embed`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    job: offline::Arguments,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        self.job.run(Task::Embed)
    }
}
