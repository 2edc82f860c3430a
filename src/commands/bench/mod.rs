//! `selfie bench`: the figures of `docs/benchmarks`, made again.

#[cfg(feature = "train")]
mod train;

use clap::Subcommand;

/// What to measure.
#[derive(Subcommand)]
pub enum Command {
    /// Training steps on the CPU, beside PyTorch's in the same run.
    #[cfg(feature = "train")]
    Train(train::Arguments),
}

impl Command {
    /// Measures it.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            #[cfg(feature = "train")]
            Self::Train(arguments) => arguments.run(),
        }
    }
}
