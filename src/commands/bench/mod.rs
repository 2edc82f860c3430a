//! `selfie bench`: the figures of `docs/benchmarks`, made again.

#[cfg(feature = "train")]
mod parity;
#[cfg(feature = "train")]
mod train;

use clap::Subcommand;

/// What to measure.
#[derive(Subcommand)]
pub enum Command {
    /// Training steps on the CPU, beside PyTorch's in the same run.
    #[cfg(feature = "train")]
    Train(train::Arguments),
    /// Trains a few steps and writes down all that another program needs to repeat them.
    #[cfg(feature = "train")]
    Parity(parity::Arguments),
}

impl Command {
    /// Measures it.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            #[cfg(feature = "train")]
            Self::Train(arguments) => arguments.run(),
            #[cfg(feature = "train")]
            Self::Parity(arguments) => arguments.run(),
        }
    }
}
