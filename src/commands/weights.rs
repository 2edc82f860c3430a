//! `selfie weights`

use selfie_models::weights::{self, Part};
use selfie_models::{device, saved};
use std::path::PathBuf;

/// Arguments of `selfie weights`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Run folder of a finished run.
    run: PathBuf,
    /// File to write: `.safetensors` with PyTorch's names and layout, or `.bpk` for Burn.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The ResNet alone, without pooling, positions and classes.
    #[arg(long)]
    backbone: bool,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let saved = saved::load(&self.run, &device::open("cpu")?)?;
        let part = if self.backbone { Part::Backbone } else { Part::Whole };
        weights::write(&saved.network, part, &self.out)?;
        println!("{}", self.out.display());
        Ok(())
    }
}
