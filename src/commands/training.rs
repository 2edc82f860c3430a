//! What pretraining and fine-tuning take and print alike.

use crate::table::Table;
use selfie_train::run::REPORT_FILE;
use selfie_train::{Error, Forecast, LearningRates, Options, Summary};
use std::path::{Path, PathBuf};

/// Arguments of a training run.
#[derive(clap::Args)]
pub struct TrainingArguments {
    /// A built-in recipe or a TOML file.
    #[arg(long, value_name = "NAME|FILE")]
    pub recipe: String,
    /// Data set instead of the recipe's; `selfie data list` shows them.
    #[arg(long, value_name = "SPEC")]
    pub data: Option<String>,
    /// Run folder to make.
    #[arg(long, value_name = "RUN", required_unless_present_any = ["dry_run", "find_lr"])]
    pub out: Option<PathBuf>,
    /// Seed of weights, data order, masks and dropout.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Where to compute: cpu, or vulkan, cuda, metal, wgpu where built in, with :N for one of several, or
    /// ws://HOST:PORT/N of `selfie lend` elsewhere. Devices with commas between them, as `cuda:0,cuda:1`, each take an equal part of every batch.
    #[arg(long, default_value = "cpu", value_name = "DEVICE[,DEVICE]...")]
    pub device: String,
    /// A setting on top of the recipe, with dots, as in `network.pooling.layers=2`. Repeatable.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Write the metrics for TensorBoard as well, into the run folder.
    #[arg(long)]
    pub tensorboard: bool,
    /// Leave damaged images out and count them, instead of ending with an error.
    #[arg(long)]
    pub skip_damaged: bool,
    /// Go on with the run in the folder from its last checkpoint.
    #[arg(long)]
    pub resume: bool,
    /// Say what the run would do and take, by a few steps that leave nothing behind.
    #[arg(long, conflicts_with_all = ["resume", "find_lr"])]
    pub dry_run: bool,
    /// Search the learning rates that train, by a hundred steps that leave nothing behind but this picture.
    #[arg(long, value_name = "SVG", conflicts_with = "resume")]
    pub find_lr: Option<PathBuf>,
}

/// A training, and what finds out about it.
pub struct Training {
    pub run: fn(&Options) -> Result<Summary, Error>,
    pub forecast: fn(&Options) -> Result<Forecast, Error>,
    pub find_learning_rate: fn(&Options, &Path) -> Result<LearningRates, Error>,
}

impl TrainingArguments {
    /// As the training room takes them.
    pub fn options(&self) -> Options {
        Options {
            data: self.data.clone(),
            seed: self.seed,
            device: self.device.clone(),
            set: self.set.iter().cloned().chain(self.tensorboard.then(|| "tensorboard=true".into())).collect(),
            skip_damaged: self.skip_damaged,
            resume: self.resume,
            ..Options::new(&self.recipe, self.out.clone().unwrap_or_default())
        }
    }

    /// Does what is asked for.
    pub fn carry_out(&self, training: &Training, options: &Options) -> anyhow::Result<()> {
        match &self.find_lr {
            Some(path) => print_learning_rates(&(training.find_learning_rate)(options, path)?, path),
            None if self.dry_run => print_forecast(&(training.forecast)(options)?),
            None => print(&(training.run)(options)?),
        }
        Ok(())
    }
}

/// Prints what a run gave.
pub fn print(summary: &Summary) {
    let mut table = Table::new(["metric", "value"]);
    table.row(["steps".into(), summary.steps.to_string()]);
    table.row(["seconds".into(), format!("{:.1}", summary.seconds)]);
    table.row(["images/s".into(), format!("{:.0}", summary.images_per_second)]);
    for (name, value) in &summary.metrics {
        table.row([name.clone(), format!("{value:.4}")]);
    }
    println!("{table}\nrun: {}", summary.run.display());
    println!("report: {}", summary.run.join(REPORT_FILE).display());
}

fn print_forecast(forecast: &Forecast) {
    let megabytes = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let mut table = Table::new(["what", "value"]);
    let rows = [
        ("stage", forecast.stage.to_string()),
        ("parameters", format!("{}, trained {}", forecast.parameters, forecast.trained)),
        ("training images", forecast.images.to_string()),
        ("validation images", forecast.validation_images.to_string()),
        ("test images", forecast.test_images.to_string()),
        ("steps", format!("{} of {} images: {:.1} epochs", forecast.steps, forecast.batch_size, forecast.epochs())),
        ("devices", format!("{}; parts of {} images", forecast.devices.join(", "), forecast.part_size)),
        ("precision", forecast.precision.to_string()),
        ("floating-point operations", format!("{:.2} G a step", forecast.step_flops as f64 / 1e9)),
        ("weights, gradients, momentum, copies", megabytes(forecast.state_bytes)),
        ("peak memory", forecast.peak_bytes.map_or("unknown here".into(), megabytes)),
        ("time of a step", format!("{:.1} ms", forecast.step_seconds * 1e3)),
        ("time of all steps", format!("{:.0} s", forecast.seconds())),
    ];
    for (name, value) in rows {
        table.row([name.into(), value]);
    }
    println!("{table}\nnothing was written; evaluations and checkpoints come on top of the time");
}

fn print_learning_rates(found: &LearningRates, path: &Path) {
    let last = found.points.last().map_or(0.0, |(rate, _)| *rate);
    println!("{} steps, the last one with {last:.1e}; the curve is in {}", found.points.len(), path.display());
    match (found.steepest, found.tenth_of_least) {
        (Some(steepest), Some(tenth)) => println!(
            "the loss falls the fastest at {steepest:.1e}, and a tenth of the rate with the least loss is {tenth:.1e}; \
             try --set lr={:.1e}",
            steepest.max(tenth)
        ),
        _ => println!("the loss does not fall at any rate; look at the data, or at warmup_steps and clip_norm"),
    }
}
