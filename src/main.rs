//! `selfie`: from a folder of unlabelled images to an embedding and classification service.

mod commands;
#[cfg(feature = "export")]
mod compile;
mod environment;
mod log;
#[cfg(feature = "export")]
mod memory;
#[cfg(feature = "train")]
mod options;
#[cfg(any(feature = "export", feature = "train"))]
mod paired;
mod pipe;
#[cfg(feature = "serve")]
mod progress;
mod table;

use clap::Parser;
use std::process::ExitCode;
#[cfg(feature = "serve")]
use std::time::Duration;

/// Longest time that the end waits for a GPU to let models go.
#[cfg(feature = "serve")]
const GPU_LIMIT: Duration = Duration::from_secs(10);

/// From a folder of unlabelled images to an embedding and classification service.
#[derive(Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: commands::Command,
    #[command(flatten)]
    log: log::Options,
}

/// 0 when all went well, 1 when the command failed, 128 and the number of the signal when one ended a training or nobody reads
/// what is printed; bad usage ends with 2 while arguments are parsed.
fn main() -> ExitCode {
    environment::settle();
    pipe::end_quietly();
    let result = run(Arguments::parse());
    #[cfg(feature = "serve")]
    if !selfie_serve::runtime::all_gone(GPU_LIMIT) {
        eprintln!("a GPU has not let go of all models; the process ends all the same");
    }
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", commands::told(&error));
            commands::exit_code(&error)
        }
    }
}

fn run(Arguments { command, log }: Arguments) -> anyhow::Result<()> {
    log::start(log.or(command.log()?))?;
    command.run()
}
