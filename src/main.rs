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

/// From a folder of unlabelled images to an embedding and classification service.
#[derive(Parser)]
#[command(version, propagate_version = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: commands::Command,
    /// What to log: error, warn, info, debug, trace, or a filter as in `selfie_serve=debug`.
    #[arg(long, global = true, env = "SELFIE_LOG", default_value = "warn,selfie=info", value_name = "FILTER")]
    log: tracing_subscriber::EnvFilter,
    /// Form of the log: lines of text, or a JSON object a line.
    #[arg(long, global = true, env = "SELFIE_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    log_format: log::LogFormat,
}

/// 0 when all went well, 1 when the command failed, 128 and the number of the signal when one ended a training or nobody reads
/// what is printed; bad usage ends with 2 while arguments are parsed.
fn main() -> ExitCode {
    environment::settle();
    pipe::end_quietly();
    let arguments = Arguments::parse();
    log::start(arguments.log, arguments.log_format);
    match arguments.command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", commands::told(&error));
            commands::exit_code(&error)
        }
    }
}
