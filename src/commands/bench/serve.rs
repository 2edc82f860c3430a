//! `selfie bench serve`

use super::options::{RuntimeArguments, save, seconds, size};
use crate::commands::serve::pretrained;
use crate::progress::Bar;
use crate::table::Table;
use anyhow::ensure;
use selfie_serve::bench::serving::{self, OURS, Options, Report, Server};
use selfie_serve::bench::{Order, Summary};
use selfie_serve::runtime::{self, BatchBuckets, IoBinding};
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `selfie bench serve`.
#[derive(clap::Args)]
pub struct Arguments {
    /// ONNX file with a card, or a store with one model; without it the model that comes with the project.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    #[command(flatten)]
    runtime: RuntimeArguments,
    /// Largest batch of every server.
    #[arg(long, default_value_t = 32, value_name = "N", value_parser = clap::value_parser!(u16).range(2..))]
    max_batch_size: u16,
    /// Batch sizes that our server and the limit run, batches being filled up: auto, none, or a list such as 1,4,16.
    #[arg(long, value_name = "SIZES", default_value_t)]
    batch_buckets: BatchBuckets,
    /// Where ONNX Runtime finds batches of these sizes and puts what comes out.
    #[arg(long, value_name = "WAY", default_value_t)]
    io_binding: IoBinding,
    /// Length of each measurement.
    #[arg(long, default_value = "10", value_name = "S", value_parser = seconds)]
    seconds: Duration,
    /// Rounds of the closed loop.
    #[arg(long, default_value_t = 3, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Size of the images in pixels.
    #[arg(long, default_value = "500x375", value_name = "WIDTHxHEIGHT", value_parser = size)]
    image_size: (u32, u32),
    /// Images of a request in the row of ours that gets several at once; 1 leaves that row out.
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=128))]
    images_per_request: u16,
    /// A Python with onnxruntime, pillow, and litserve, bentoml, nvidia-pytriton or fastapi with uvicorn; what it lacks is left out.
    #[arg(long, value_name = "PYTHON")]
    python: Option<PathBuf>,
    /// Folder for serving.json and serving.svg.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let options = Options {
            program: std::env::current_exe()?,
            model: self.model.map_or_else(pretrained, Ok)?,
            runtime: runtime::Options {
                batch_buckets: self.batch_buckets,
                io_binding: self.io_binding,
                max_batch_size: usize::from(self.max_batch_size),
                ..self.runtime.options()
            },
            max_batch_size: usize::from(self.max_batch_size),
            duration: self.seconds,
            rounds: usize::from(self.rounds),
            python: self.python,
            image: self.image_size,
            images_per_request: usize::from(self.images_per_request),
        };
        let mut bar = Bar::new("measurements");
        let report = serving::run(&options, |done, all| bar.show(done, all));
        bar.finish();
        let report = report?;
        print(&report);
        if let Some(out) = &self.out {
            let json = serde_json::to_string_pretty(&report)?;
            save(out, &[("serving.json", &json), ("serving.svg", &report.svg()?)])?;
        }
        let failures = report.failures();
        ensure!(failures == 0, "{failures} requests were not answered right; the JSON file of --out says which");
        Ok(())
    }
}

fn print(report: &Report) {
    let Report { model, runtime, device, hardware, processors, image, seconds, .. } = report;
    println!(
        "{model} on {runtime} ({device}), {processors} processors, JPEG files of {} x {} with {} kB; {seconds} s each",
        image.width,
        image.height,
        image.mean_bytes / 1000
    );
    let memory =
        hardware.memory_bytes.map_or_else(|| "unknown".into(), |bytes| format!("{:.1} GB", bytes as f64 / 1e9));
    println!("processor: {}; system: {}; memory: {memory}\n", hardware.processor, hardware.system);
    let mut table = Table::new([
        "server",
        "connections",
        "images/s",
        "of limit",
        "at 80 %",
        "p50 ms",
        "p99 ms",
        "evenly: p50 ms",
        "p99 ms",
        "load's CPU",
        "failed",
    ]);
    let limit = &report.limit;
    let order = match limit.way.order {
        Order::Alternating => "",
        Order::Ahead => ", decoding ahead",
        Order::Beside => ", one a processor",
    };
    let name = format!("limit (batches of {}{order})", limit.way.batch_size);
    let at = rate(limit.usual().map(|ideal| ideal.offered_per_second));
    let [p50, p99] = times(limit.usual().map(|ideal| &ideal.latency));
    let [even_p50, even_p99] = times(Some(&limit.even.latency));
    let [a, b, c] = std::array::from_fn(|_| "-".to_owned());
    table.row([name, a, format!("{:.1}", limit.per_second), "100.0%".into(), at, p50, p99, even_p50, even_p99, b, c]);
    for server in &report.servers {
        table.row(row(server));
    }
    println!("{table}");
    let (ours, others): (Vec<_>, Vec<_>) = report.servers.iter().partition(|server| server.name == OURS);
    let per_second = |server: &&Server| server.saturation.per_second;
    let best = others.into_iter().max_by(|a, b| per_second(a).total_cmp(&per_second(b)));
    if let (Some(ours), Some(best)) = (ours.first(), best) {
        let ratio = per_second(ours) / per_second(&best);
        println!(
            "selfie answers {ratio:.2} times the requests of {}, the best of the others, one image each",
            best.name
        );
    }
    for (what, compared) in [("an image of 32 x 32", report.overhead.image), ("a tensor", report.overhead.tensor)] {
        println!(
            "a request with {what} to a model that does nothing: {:.3} ms, {:.3} ms of it beyond the work itself",
            compared.request_ms,
            compared.overhead_ms()
        );
    }
    for server in &report.servers {
        println!("{} is {}", server.label(), server.version);
        if let Some(failure) = server.failure() {
            println!("  failed: {failure}");
        }
    }
    for skipped in &report.skipped {
        println!("{} was not measured: {}", skipped.name, skipped.reason);
    }
}

fn ms(ms: f64) -> String {
    format!("{ms:.2}")
}

/// How long half of the requests took at most, and 99 of 100, where that was measured.
fn times(found: Option<&Summary>) -> [String; 2] {
    found.map_or_else(|| ["-".into(), "-".into()], |found| [found.p50_ms, found.p99_ms].map(ms))
}

/// Images a second, where that was measured.
fn rate(found: Option<f64>) -> String {
    found.map_or_else(|| "-".into(), |found| format!("{found:.1}"))
}

fn row(server: &Server) -> [String; 11] {
    let percent = |share: f64| format!("{:.1}%", share * 100.0);
    let full = &server.saturation;
    let at = rate(server.usual().map(|step| step.per_second));
    let [p50, p99] = times(server.usual().map(|step| &step.latency));
    let [even_p50, even_p99] = times(server.even.as_ref().map(|step| &step.latency));
    [
        server.label(),
        server.connections.to_string(),
        format!("{:.1}", full.per_second),
        percent(full.of_limit),
        at,
        p50,
        p99,
        even_p50,
        even_p99,
        full.generator_share.map_or_else(|| "unknown".into(), percent),
        server.failures().to_string(),
    ]
}
