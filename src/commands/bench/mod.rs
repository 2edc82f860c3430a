//! `selfie bench`: the figures of `docs/benchmarks`, made again.

#[cfg(feature = "export")]
mod export;
#[cfg(feature = "train")]
mod train;

use clap::Subcommand;

/// What to measure.
#[derive(Subcommand)]
pub enum Command {
    /// Training steps on the CPU, beside PyTorch's in the same run.
    #[cfg(feature = "train")]
    Train(train::Arguments),
    /// The compiler beside `torch.onnx.export`: time, memory, nodes, bytes, and the speed of the files.
    #[cfg(feature = "export")]
    Export(export::Arguments),
}

impl Command {
    /// Measures it.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            #[cfg(feature = "train")]
            Self::Train(arguments) => arguments.run(),
            #[cfg(feature = "export")]
            Self::Export(arguments) => arguments.run(),
        }
    }
}
