//! `selfie runtime`

use crate::table::Table;
use clap::Subcommand;
use selfie_serve::runtime::{self, Options, install, library};

/// What to do with inference runtimes.
#[derive(Subcommand)]
pub enum Command {
    /// Brings ONNX Runtime's shared library into the cache folder, by pip, checked by SHA-256.
    Install {
        /// The library with the CUDA execution provider.
        #[arg(long)]
        cuda: bool,
    },
    /// Lists the runtimes and says which work here.
    List {
        /// Print the path of ONNX Runtime's shared library and nothing else.
        #[arg(long)]
        path: bool,
    },
}

impl Command {
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Install { cuda } => println!("ONNX Runtime is in {}", install::install(cuda)?.display()),
            Self::List { path: true } => println!("{}", library::locate(&Options::default())?.display()),
            Self::List { path: false } => {
                let mut table = Table::new(["runtime", "works", "detail"]);
                for runtime in runtime::list(&Options::default()) {
                    let works = if runtime.works { "yes" } else { "no" };
                    table.row([runtime.name.into(), works.into(), runtime.detail]);
                }
                print!("{table}");
            }
        }
        Ok(())
    }
}
