//! The subcommands, one file each: what is typed, then what is called and printed.

#[cfg(feature = "train")]
mod bench;
#[cfg(feature = "serve")]
mod classify;
#[cfg(feature = "train")]
mod data;
#[cfg(feature = "serve")]
mod embed;
#[cfg(feature = "train")]
mod evaluate;
#[cfg(feature = "export")]
mod export;
#[cfg(feature = "train")]
mod finetune;
#[cfg(feature = "export")]
mod inspect;
#[cfg(feature = "serve")]
mod offline;
#[cfg(feature = "train")]
mod pretrain;
#[cfg(all(feature = "train", feature = "export", feature = "serve"))]
mod quickstart;
#[cfg(feature = "train")]
mod report;
#[cfg(feature = "serve")]
mod runtime;
#[cfg(feature = "serve")]
mod serve;
#[cfg(feature = "train")]
mod training;
#[cfg(feature = "export")]
mod verify;

use clap::Subcommand;

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// The whole story on a small bundled data set, then serves what it made.
    #[cfg(all(feature = "train", feature = "export", feature = "serve"))]
    Quickstart(quickstart::Arguments),
    /// Trains a network on images without labels.
    #[cfg(feature = "train")]
    Pretrain(pretrain::Arguments),
    /// Trains a classifier on few labels, from a pretrained network or from scratch.
    #[cfg(feature = "train")]
    Finetune(finetune::Arguments),
    /// Measures a trained network on test images.
    #[cfg(feature = "train")]
    Evaluate(evaluate::Arguments),
    /// Writes the page about a run into its folder.
    #[cfg(feature = "train")]
    Report(report::Arguments),
    /// Compiles a trained network to ONNX.
    #[cfg(feature = "export")]
    Export(export::Arguments),
    /// Compares an ONNX file with Burn in every runtime that is here.
    #[cfg(feature = "export")]
    Verify(verify::Arguments),
    /// Shows what is inside an ONNX file.
    #[cfg(feature = "export")]
    Inspect(inspect::Arguments),
    /// Serves embeddings and classes over HTTP.
    #[cfg(feature = "serve")]
    Serve(Box<serve::Arguments>),
    /// Writes the embeddings of images into a file, without a server.
    #[cfg(feature = "serve")]
    Embed(embed::Arguments),
    /// Writes the classes of images into a file, without a server.
    #[cfg(feature = "serve")]
    Classify(classify::Arguments),
    /// Installs and lists inference runtimes.
    #[cfg(feature = "serve")]
    #[command(subcommand)]
    Runtime(runtime::Command),
    /// Lists, fetches and checks data sets.
    #[cfg(feature = "train")]
    #[command(subcommand)]
    Data(data::Command),
    /// Makes the figures of the documentation again.
    #[cfg(feature = "train")]
    #[command(subcommand)]
    Bench(bench::Command),
}

impl Command {
    /// Does it.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            #[cfg(all(feature = "train", feature = "export", feature = "serve"))]
            Self::Quickstart(arguments) => arguments.run(),
            #[cfg(feature = "train")]
            Self::Pretrain(arguments) => arguments.run(),
            #[cfg(feature = "train")]
            Self::Finetune(arguments) => arguments.run(),
            #[cfg(feature = "train")]
            Self::Evaluate(arguments) => arguments.run(),
            #[cfg(feature = "train")]
            Self::Report(arguments) => arguments.run(),
            #[cfg(feature = "export")]
            Self::Export(arguments) => arguments.run(),
            #[cfg(feature = "export")]
            Self::Verify(arguments) => arguments.run(),
            #[cfg(feature = "export")]
            Self::Inspect(arguments) => arguments.run(),
            #[cfg(feature = "serve")]
            Self::Serve(arguments) => arguments.run(),
            #[cfg(feature = "serve")]
            Self::Embed(arguments) => arguments.run(),
            #[cfg(feature = "serve")]
            Self::Classify(arguments) => arguments.run(),
            #[cfg(feature = "serve")]
            Self::Runtime(command) => command.run(),
            #[cfg(feature = "train")]
            Self::Data(command) => command.run(),
            #[cfg(feature = "train")]
            Self::Bench(command) => command.run(),
        }
    }
}
