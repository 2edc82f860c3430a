//! `selfie bench train`

use crate::paired::{median, ratio};
use crate::table::Table;
use selfie_train::bench::{self, Measured, Place, Precision, loading};
use std::path::PathBuf;
use std::time::Duration;

/// Seconds that each way of loading is measured.
const LOADING_S: u64 = 3;

/// Arguments of `selfie bench train`.
#[derive(clap::Args)]
pub struct Arguments {
    /// A Python that can import torch, to be measured in turn with ours; `pip install torch` makes one.
    #[arg(long, value_name = "PYTHON")]
    torch: Option<PathBuf>,
    /// Where to compute.
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: String,
    /// Numbers of weights, activations and gradients, here and in PyTorch: bf16 is for GPUs.
    #[arg(long, default_value = "f32", value_parser = ["f32", "bf16"])]
    precision: String,
    /// Steps of each that count.
    #[arg(long, default_value_t = 15, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let rounds = usize::from(self.rounds);
        let precision = if self.precision == "bf16" { Precision::Bf16 } else { Precision::F32 };
        let place = Place::open(&self.device, precision)?;
        let measured = bench::run(&place, self.torch.as_deref(), rounds)?;
        let mut table = Table::new(["step", "batch", "ms", "images/s", "torch ms", "torch / ours", "95 %"]);
        for found in &measured {
            let has_torch = !found.torch.is_empty();
            let torch = |text: String| if has_torch { text } else { "-".into() };
            let (ratio, [low, high]) = ratio(&found.ours, &found.torch);
            table.row([
                found.subject.name.into(),
                found.subject.what.into(),
                format!("{:.1}", median(&found.ours) * 1e3),
                format!("{:.1}", images_per_second(found)),
                torch(format!("{:.1}", median(&found.torch) * 1e3)),
                torch(format!("{ratio:.2}")),
                torch(format!("{low:.2} to {high:.2}")),
            ]);
        }
        println!("{table}");
        let beside = match self.torch {
            Some(_) => format!(", one of ours and one of PyTorch's on {} in turn", place.torch_device()),
            None => String::new(),
        };
        println!(
            "medians of {rounds} steps each on {} in {}{beside}; groups of ResNet-50, pre-activation",
            self.device,
            precision.name()
        );
        print_loading(&measured)
    }
}

/// Images of the data set that our step takes a second: those that loading must bring.
fn images_per_second(found: &Measured) -> f64 {
    found.images() as f64 / median(&found.ours)
}

/// Prints how fast images are loaded beside what the faster step takes.
fn print_loading(measured: &[Measured]) -> anyhow::Result<()> {
    let need = measured.iter().map(images_per_second).fold(0.0, f64::max);
    let mut table = Table::new(["loading", "images/s a thread", "times the need", "workers"]);
    for found in loading::run(Duration::from_secs(LOADING_S))? {
        let times = found.images_per_second / need;
        table.row([
            found.name.into(),
            format!("{:.0}", found.images_per_second),
            format!("{times:.1}"),
            format!("{:.0}", (1.0 / times).ceil()),
        ]);
    }
    println!(
        "\n{table}\nthe need is {need:.1} images/s, those of the faster step; workers is the setting that keeps up with it"
    );
    Ok(())
}
