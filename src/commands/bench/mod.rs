//! `selfie bench`: the figures of `docs/benchmarks`, made again.

#[cfg(feature = "export")]
mod export;
#[cfg(feature = "serve")]
mod images;
#[cfg(feature = "serve")]
mod options;
#[cfg(feature = "train")]
mod parity;
#[cfg(feature = "serve")]
mod search;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "train")]
mod train;

use clap::Subcommand;

/// What to measure.
#[derive(Subcommand)]
pub enum Command {
    /// Training steps on the CPU, beside PyTorch's in the same run.
    #[cfg(feature = "train")]
    Train(train::Arguments),
    /// Images to vectors over HTTP, beside Python servers and what the machine could do at most.
    #[cfg(feature = "serve")]
    Serve(serve::Arguments),
    /// JPEG bytes to a vector on one core, beside Pillow and OpenCV.
    #[cfg(feature = "serve")]
    Images(images::Arguments),
    /// A search in a gallery over HTTP, compared with brute force.
    #[cfg(feature = "serve")]
    Search(search::Arguments),
    /// Trains a few steps, and writes down all that another program needs to repeat them.
    #[cfg(feature = "train")]
    Parity(parity::Arguments),
    /// The compiler beside `torch.onnx.export`: time, memory, nodes, bytes, and the speed of the files.
    #[cfg(feature = "export")]
    Export(export::Arguments),
}

impl Command {
    /// Runs the measurement.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            #[cfg(feature = "train")]
            Self::Train(arguments) => arguments.run(),
            #[cfg(feature = "serve")]
            Self::Serve(arguments) => arguments.run(),
            #[cfg(feature = "serve")]
            Self::Images(arguments) => arguments.run(),
            #[cfg(feature = "serve")]
            Self::Search(arguments) => arguments.run(),
            #[cfg(feature = "train")]
            Self::Parity(arguments) => arguments.run(),
            #[cfg(feature = "export")]
            Self::Export(arguments) => arguments.run(),
        }
    }
}
