//! `selfie evaluate table`

use selfie_train::table::{self, Row, TableOptions};
use std::path::PathBuf;

/// Arguments of `selfie evaluate table`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A built-in table recipe or a TOML file.
    recipe: String,
    /// Folder of the table; one that was stopped goes on, one that is finished is left as it is.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Data set instead of the recipe's.
    #[arg(long, value_name = "SPEC")]
    data: Option<String>,
    /// Number of seeds instead of the recipe's.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,
    /// Fill this row alone. Repeatable.
    #[arg(long, value_name = "ROW", value_parser = Row::parse)]
    only: Vec<Row>,
    /// Where to compute: cpu, or vulkan, cuda, metal, wgpu where built in, with :N for one of several. Devices with commas
    /// between them, as `cuda:0,cuda:1`, share the batches of trainings; the first one does the rest.
    #[arg(long, default_value = "cpu", value_name = "DEVICE[,DEVICE]...")]
    device: String,
    /// A setting on top of the recipe, as in `network.width=8` for both stages, `pretrain.steps=100` or
    /// `finetune.lr=0.05` for one. Repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let options = TableOptions {
            recipe: self.recipe,
            set: self.set,
            data: self.data,
            seeds: self.seeds,
            only: self.only,
            out: self.out,
            device: self.device,
            quiet: false,
        };
        let report = table::run(&options)?;
        print!("{}", table::markdown(&report));
        println!("\ntable: {}", options.out.display());
        Ok(())
    }
}
