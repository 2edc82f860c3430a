//! `selfie bench parity`

use selfie_train::bench::parity;
use std::path::PathBuf;

/// Arguments of `selfie bench parity`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder to make: runs, first weights, batches and masks. `tests/parity/parity.py` repeats them in PyTorch.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// A setting on top of both recipes, with dots, as in `network.preset=tiny`. Repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        for summary in parity::run(&self.out, &self.set)? {
            println!("{} {} steps: {}", summary.stage, summary.steps, summary.run.display());
        }
        Ok(())
    }
}
