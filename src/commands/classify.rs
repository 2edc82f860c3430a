//! `selfie classify`

use super::offline;
use selfie_serve::offline::Task;

/// Arguments of `selfie classify`.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    job: offline::Arguments,
    /// Number of classes of each image, best first.
    #[arg(long, default_value_t = 5, value_name = "N")]
    top_k: usize,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        self.job.run(Task::Classify { top_k: self.top_k })
    }
}
