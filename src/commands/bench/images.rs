//! `selfie bench images`

use super::options::{RuntimeArguments, save, size};
use crate::table::Table;
use selfie_serve::bench::images::{self, Options, SIDES};
use std::path::PathBuf;

/// Arguments of `selfie bench images`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A Python with numpy, onnxruntime, and pillow or opencv-python-headless; may be given several times, as for another build
    /// of Pillow.
    #[arg(long, value_name = "PYTHON")]
    python: Vec<PathBuf>,
    #[command(flatten)]
    runtime: RuntimeArguments,
    /// Width and height of the photographs; where they are far larger than a model needs, `--reduced-jpeg` is measured as well.
    #[arg(long, default_value = "500x375", value_name = "WxH", value_parser = size)]
    image_size: (u32, u32),
    /// Rounds, each of 16 photographs.
    #[arg(long, default_value_t = 15, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Folder for images.json.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let rounds = usize::from(self.rounds);
        let options = Options { pythons: self.python, runtime: self.runtime.options(), image: self.image_size, rounds };
        let report = images::run(&options)?;
        let mut table = Table::new(["library", "side", "images/s a core", "of ours"]);
        for side in SIDES {
            let here = || report.measured.iter().filter(|one| one.side == side);
            let ours = here().next().map_or(f64::NAN, |one| one.per_second());
            for one in here() {
                let per_second = one.per_second();
                let ratio = format!("{:.2}", per_second / ours);
                table.row([one.name.clone(), side.to_string(), format!("{per_second:.1}"), ratio]);
            }
        }
        println!("{table}");
        let ((width, height), kilobytes) = (self.image_size, report.mean_bytes / 1000);
        println!(
            "JPEG files of {width} x {height} with {kilobytes} kB to a vector, one thread each; medians of {rounds} rounds in turn"
        );
        for skipped in &report.skipped {
            println!("not measured: {skipped}");
        }
        if let Some(out) = &self.out {
            save(out, &[("images.json", &serde_json::to_string_pretty(&report)?)])?;
        }
        Ok(())
    }
}
