//! `selfie bench search`

use super::options::{RuntimeArguments, save, seconds};
use crate::commands::serve::pretrained;
use crate::table::Table;
use anyhow::ensure;
use selfie_serve::bench::search::{self, Options, Source};
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `selfie bench search`.
#[derive(clap::Args)]
pub struct Arguments {
    /// File of vectors, .parquet or .npy, as `selfie embed` writes it; without it random vectors are made.
    #[arg(long, value_name = "FILE")]
    gallery: Option<PathBuf>,
    /// The model that made the file; without it the one that comes with the project.
    #[arg(long, value_name = "FILE", requires = "gallery")]
    model: Option<PathBuf>,
    /// Number of random vectors.
    #[arg(long, default_value_t = 60_000, value_name = "N", conflicts_with = "gallery", value_parser = clap::value_parser!(u32).range(1..))]
    vectors: u32,
    /// Numbers of a random vector.
    #[arg(long, default_value_t = 512, value_name = "N", conflicts_with = "gallery", value_parser = clap::value_parser!(u16).range(1..))]
    width: u16,
    #[command(flatten)]
    runtime: RuntimeArguments,
    /// How long to search.
    #[arg(long, default_value = "10", value_name = "S", value_parser = seconds)]
    seconds: Duration,
    /// Folder for search.json.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let gallery = match self.gallery {
            Some(path) => Source::File { path, model: self.model.map_or_else(pretrained, Ok)? },
            None => Source::Random { vectors: usize::try_from(self.vectors)?, width: usize::from(self.width) },
        };
        let (program, duration) = (std::env::current_exe()?, self.seconds);
        let report = search::run(&Options { program, gallery, runtime: self.runtime.options(), duration })?;
        let megabytes = |bytes: i64| format!("{:.1}", bytes as f64 / 1e6);
        let memory = |value: fn(&search::Memory) -> i64| {
            report.memory.as_ref().map_or_else(|| "unknown".to_owned(), |memory| megabytes(value(memory)))
        };
        let mut table = Table::new([
            "vectors",
            "width",
            "searches",
            "searches/s",
            "p50 ms",
            "p99 ms",
            "file MB",
            "server MB",
            "without gallery MB",
            "above file MB",
            "failed",
        ]);
        table.row([
            report.vectors.to_string(),
            report.width.to_string(),
            report.latency.count.to_string(),
            format!("{:.1}", report.per_second),
            format!("{:.2}", report.latency.p50_ms),
            format!("{:.2}", report.latency.p99_ms),
            memory(|memory| memory.file as i64),
            memory(|memory| memory.with as i64),
            memory(|memory| memory.without as i64),
            memory(search::Memory::above_file),
            report.failures.to_string(),
        ]);
        println!("{table}");
        if let Some(out) = &self.out {
            save(out, &[("search.json", &serde_json::to_string_pretty(&report)?)])?;
        }
        let failures = report.failures;
        ensure!(failures == 0, "{failures} searches differ from brute force: {}", report.failure.unwrap_or_default());
        println!("every search found the {} nearest that brute force finds, in the same order", report.k);
        Ok(())
    }
}
