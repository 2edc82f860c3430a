//! `selfie report`

use selfie_train::report::{self, ReportOptions};
use std::path::PathBuf;

/// Arguments of `selfie report`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Run folder.
    run: PathBuf,
    /// Data set instead of the run's.
    #[arg(long, value_name = "SPEC")]
    data: Option<String>,
    /// Where to compute.
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: String,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let options = ReportOptions { run: self.run, data: self.data, device: self.device };
        println!("report: {}", report::run(&options)?.display());
        Ok(())
    }
}
