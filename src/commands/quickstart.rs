//! `selfie quickstart`: the whole story on the bundled sample of Fashion-MNIST.

use super::serve::serve;
use crate::compile::{Compiled, InputForm, Passes, PrecisionOptions, Request, compile, print};
use crate::table::Table;
use anyhow::Context;
use selfie_serve::Config;
use selfie_train::{Options, Summary, data, finetune, pretrain};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Name of the model that comes out.
const MODEL: &str = "quickstart";
const DATA: &str = "fashion-mnist-sample";

/// Arguments of `selfie quickstart`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Folder for runs, plots, model store and summary; an interrupted quickstart goes on in it.
    #[arg(long, default_value = "selfie-quickstart", value_name = "DIR")]
    dir: PathBuf,
    /// End when the model is compiled and verified.
    #[arg(long)]
    no_serve: bool,
    /// Port to serve on; 0 takes a free one.
    #[arg(long, default_value_t = 8000, value_name = "PORT")]
    port: u16,
    /// Where to train: cpu, or vulkan, cuda, metal, webgpu where built in, with :N for one of several.
    #[arg(long, default_value = "cpu", value_name = "DEVICE")]
    device: String,
    /// Seed of weights, data order, masks and dropout.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
}

/// What the quickstart did, as `summary.json` keeps it.
#[derive(Serialize)]
struct Report {
    data: &'static str,
    seed: u64,
    pretrain: Summary,
    finetune: Summary,
    from_scratch: Summary,
    model: PathBuf,
    model_bytes: u64,
    model_nodes: usize,
    verified: Vec<Verified>,
    seconds: f64,
    peak_memory_bytes: Option<u64>,
}

/// The compiled model against Burn in one runtime.
#[derive(Serialize)]
struct Verified {
    runtime: &'static str,
    batch: usize,
    output: String,
    largest_error: f64,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let started = Instant::now();
        std::fs::create_dir_all(&self.dir).with_context(|| format!("cannot make {}", self.dir.display()))?;

        heading(1, "Pretrain with Selfie, without labels: which patch belongs in which hole?");
        let pretrained = pretrain::run(&self.options("quickstart-pretrain", "pretrain", None))?;
        let init = Some(pretrained.run.clone());

        heading(2, "Fine-tune on a fifth of the labels");
        let finetuned = finetune::run(&self.options("quickstart-finetune", "finetune", init))?;

        heading(3, "Train the same network from scratch, on the same labels");
        let scratch = finetune::run(&self.options("quickstart-finetune", "from-scratch", None))?;

        heading(4, "Compile the fine-tuned network to ONNX and compare with Burn");
        let store = self.dir.join("store");
        let request = Request {
            source: &finetuned.run,
            out: &store,
            name: Some(MODEL),
            opset: None,
            batch: None,
            input: InputForm::F32,
            precision: PrecisionOptions::default(),
            passes: Passes::default(),
        };
        let compiled = compile(&request)?;
        print(&compiled.rows);

        let report = Report::new(&self, pretrained, finetuned, scratch, compiled, started.elapsed().as_secs_f64());
        let summary = self.dir.join("summary.json");
        selfie_models::saved::write_atomically(&summary, serde_json::to_string_pretty(&report)?.as_bytes())?;
        report.print();
        println!("runs, their reports and summary: {}", self.dir.display());
        let sample = sample(&self.dir)?;
        match self.no_serve {
            true => println!("serve it: selfie serve --models {}", store.display()),
            false => {
                heading(5, "Serve");
                lines(self.port, &sample);
                serve(Config { models: store, port: self.port, ..Config::default() })?;
            }
        }
        Ok(())
    }

    fn options(&self, recipe: &str, run: &str, init: Option<PathBuf>) -> Options {
        let out = self.dir.join("runs").join(run);
        let (seed, device, resume) = (Some(self.seed), self.device.clone(), out.exists());
        Options { init, seed, device, resume, ..Options::new(recipe, out) }
    }
}

impl Report {
    fn new(
        arguments: &Arguments,
        pretrain: Summary,
        finetune: Summary,
        from_scratch: Summary,
        compiled: Compiled,
        seconds: f64,
    ) -> Self {
        let verified = compiled.rows.into_iter().map(|row| Verified {
            runtime: row.runner,
            batch: row.batch,
            output: row.output,
            largest_error: row.max_abs_error,
        });
        Self {
            data: DATA,
            seed: arguments.seed,
            pretrain,
            finetune,
            from_scratch,
            model: compiled.path,
            model_bytes: compiled.bytes,
            model_nodes: compiled.nodes,
            verified: verified.collect(),
            seconds,
            peak_memory_bytes: peak_memory_bytes(),
        }
    }

    fn print(&self) {
        let mut table = Table::new(["stage", "seconds", "images/s", "what came out"]);
        let percent = |summary: &Summary, metric: &str| match summary.metrics.get(metric) {
            Some(value) => format!("{:.1} %", value * 100.0),
            None => "unknown".to_owned(),
        };
        let mut row = |stage: &str, summary: &Summary, outcome: String| {
            let speed = format!("{:.0}", summary.images_per_second);
            table.row([stage.to_owned(), format!("{:.0}", summary.seconds), speed, outcome]);
        };
        let chance = percent(&self.pretrain, "chance_accuracy");
        let pretext = percent(&self.pretrain, "test_accuracy");
        row("pretrain", &self.pretrain, format!("{pretext} of the masked patches put right (chance {chance})"));
        for (stage, summary) in [("fine-tune", &self.finetune), ("from scratch", &self.from_scratch)] {
            row(stage, summary, format!("{} of the test images classified right", percent(summary, "test_accuracy")));
        }
        let worst = self.verified.iter().map(|row| row.largest_error).fold(0.0, f64::max);
        let (nodes, megabytes) = (self.model_nodes, self.model_bytes as f64 / 1e6);
        let outcome = format!("{nodes} nodes, {megabytes:.2} MB, largest error {worst:.1e}");
        table.row(["compile".into(), String::new(), String::new(), outcome]);
        let memory =
            self.peak_memory_bytes.map_or(String::new(), |bytes| format!("peak memory {} MB", bytes / 1_000_000));
        table.row(["all".into(), format!("{:.0}", self.seconds), String::new(), memory]);
        println!("\n{table}");
    }
}

fn heading(number: usize, text: &str) {
    println!("\n{number}/5  {text}");
}

/// Writes a test image of the data set as PNG, for the lines to try.
fn sample(dir: &Path) -> anyhow::Result<PathBuf> {
    let dataset = data::open(DATA)?;
    let (width, height) = (u32::try_from(dataset.width)?, u32::try_from(dataset.height)?);
    let picture = image::GrayImage::from_raw(width, height, dataset.test.image(0)?.into_owned());
    let path = dir.join("sample.png");
    picture.context("the first test image has another size")?.save(&path)?;
    Ok(path)
}

fn lines(port: u16, sample: &Path) {
    let (address, sample) = (format!("http://127.0.0.1:{port}"), sample.display());
    println!(
        "Try, from another terminal; any JPEG, PNG, WebP or BMP does:\n\
         curl {address}/v1/models\n\
         curl -H 'content-type: image/png' --data-binary @{sample} '{address}/v1/classify?model={MODEL}'\n\
         curl -F model={MODEL} -F images=@{sample} {address}/v1/embeddings\n"
    );
}

/// The largest resident memory that the process had, where the system tells.
fn peak_memory_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
