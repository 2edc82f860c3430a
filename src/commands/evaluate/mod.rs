//! `selfie evaluate RUN`, and `selfie evaluate table`

mod run;
mod table;

use clap::Subcommand;

/// Arguments of `selfie evaluate`.
///
/// A run folder that is called `table` is named `./table`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::RunArguments,
}

/// What to measure instead of one run.
#[derive(Subcommand)]
enum Command {
    /// Trains and measures everything that a table of results is made of.
    Table(table::Arguments),
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Some(Command::Table(arguments)) => arguments.run(),
            None => self.run.run(),
        }
    }
}
