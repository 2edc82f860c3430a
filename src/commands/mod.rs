//! The subcommands, one file each: what is typed, then what is called and printed.

#[cfg(any(feature = "train", feature = "export", feature = "serve"))]
mod bench;
#[cfg(feature = "serve")]
mod card;
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
#[cfg(feature = "networks")]
mod import;
#[cfg(feature = "export")]
mod inspect;
#[cfg(feature = "remote")]
mod lend;
#[cfg(feature = "serve")]
mod offline;
#[cfg(feature = "export")]
mod optimize;
#[cfg(feature = "serve")]
mod plan;
#[cfg(feature = "train")]
mod pretrain;
#[cfg(all(feature = "train", feature = "export", feature = "serve"))]
mod quickstart;
#[cfg(feature = "serve")]
mod rehearse;
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
#[cfg(feature = "networks")]
mod weights;

use crate::log;
use clap::Subcommand;
use std::process::ExitCode;

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Trains, compiles and serves: the whole story, on a bundled sample or on images of your own.
    #[cfg(all(feature = "train", feature = "export", feature = "serve"))]
    Quickstart(quickstart::Arguments),
    /// Trains a network on images without labels.
    #[cfg(feature = "train")]
    Pretrain(pretrain::Arguments),
    /// Trains a classifier on few labels, from a pretrained network or from scratch.
    #[cfg(feature = "train")]
    Finetune(finetune::Arguments),
    /// Measures a trained network on test images, or fills a whole table of results.
    #[cfg(feature = "train")]
    Evaluate(evaluate::Arguments),
    /// Makes a run folder from published weights, for `selfie export`.
    #[cfg(feature = "networks")]
    Import(import::Arguments),
    /// Writes the weights of a run, or of its backbone alone, for PyTorch or Burn.
    #[cfg(feature = "networks")]
    Weights(weights::Arguments),
    /// Writes the HTML report of a run into its folder.
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
    /// Simplifies any ONNX file, and proves that it computes the same.
    #[cfg(feature = "export")]
    Optimize(optimize::Arguments),
    /// Serves embeddings and classes over HTTP.
    #[cfg(feature = "serve")]
    Serve(Box<serve::Arguments>),
    /// Loads a model as a server would, which tries it so in a process of its own.
    #[cfg(feature = "serve")]
    #[command(hide = true)]
    Rehearse(rehearse::Arguments),
    /// Writes the embeddings of images into a file, without a server.
    #[cfg(feature = "serve")]
    Embed(embed::Arguments),
    /// Writes the classes of images into a file, without a server.
    #[cfg(feature = "serve")]
    Classify(classify::Arguments),
    /// Makes model cards for ONNX files from elsewhere.
    #[cfg(feature = "serve")]
    #[command(subcommand)]
    Card(card::Command),
    /// Installs and lists inference runtimes.
    #[cfg(feature = "serve")]
    #[command(subcommand)]
    Runtime(runtime::Command),
    /// Lists, fetches and checks data sets.
    #[cfg(feature = "train")]
    #[command(subcommand)]
    Data(data::Command),
    /// Lends devices of this machine to trainings on others.
    #[cfg(feature = "remote")]
    Lend(lend::Arguments),
    /// Makes the figures of the documentation again.
    #[cfg(any(feature = "train", feature = "export", feature = "serve"))]
    #[command(subcommand)]
    Bench(bench::Command),
}

impl Command {
    /// What a file of the subcommand says about the log.
    pub fn log(&self) -> anyhow::Result<log::Options> {
        match self {
            #[cfg(feature = "serve")]
            Self::Serve(arguments) => arguments.log(),
            _ => Ok(log::Options::default()),
        }
    }

    /// Runs the subcommand.
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
            #[cfg(feature = "networks")]
            Self::Import(arguments) => arguments.run(),
            #[cfg(feature = "networks")]
            Self::Weights(arguments) => arguments.run(),
            #[cfg(feature = "train")]
            Self::Report(arguments) => arguments.run(),
            #[cfg(feature = "export")]
            Self::Export(arguments) => arguments.run(),
            #[cfg(feature = "export")]
            Self::Verify(arguments) => arguments.run(),
            #[cfg(feature = "export")]
            Self::Inspect(arguments) => arguments.run(),
            #[cfg(feature = "export")]
            Self::Optimize(arguments) => arguments.run(),
            #[cfg(feature = "serve")]
            Self::Serve(arguments) => arguments.run(),
            #[cfg(feature = "serve")]
            Self::Rehearse(arguments) => arguments.run(),
            #[cfg(feature = "serve")]
            Self::Embed(arguments) => arguments.run(),
            #[cfg(feature = "serve")]
            Self::Classify(arguments) => arguments.run(),
            #[cfg(feature = "serve")]
            Self::Card(command) => command.run(),
            #[cfg(feature = "serve")]
            Self::Runtime(command) => command.run(),
            #[cfg(feature = "train")]
            Self::Data(command) => command.run(),
            #[cfg(feature = "remote")]
            Self::Lend(arguments) => arguments.run(),
            #[cfg(any(feature = "train", feature = "export", feature = "serve"))]
            Self::Bench(command) => command.run(),
        }
    }
}

/// What is told about a command that failed: the error, and behind it each cause that it has not told itself.
pub fn told(error: &anyhow::Error) -> String {
    let mut told = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

/// What a shell is told about a command that failed.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    #[cfg(feature = "train")]
    if let Some(signal) = error.downcast_ref().and_then(selfie_train::Error::signal) {
        return u8::try_from(128 + signal).map_or(ExitCode::FAILURE, ExitCode::from);
    }
    let _ = error;
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;

    #[test]
    fn no_cause_is_told_twice() {
        let error = anyhow!("no such file").context("read x: no such file; make one").context("the recipe");
        assert_eq!(told(&error), "the recipe: read x: no such file; make one");
        assert_eq!(told(&anyhow!("deep").context("high")), "high: deep");
    }
}
