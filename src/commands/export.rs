//! `selfie export`

use crate::compile::{Request, compile, print};
use std::path::PathBuf;

/// Arguments of `selfie export`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Run folder of a finished run.
    run: PathBuf,
    /// Model store, where the model becomes the newest version, or a file that ends with `.onnx`.
    #[arg(long, value_name = "STORE|FILE")]
    out: PathBuf,
    /// Name of the model instead of the run's.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Version of ONNX's operators, 13 to 24.
    #[arg(long, default_value_t = 17, value_name = "N")]
    opset: i64,
    /// Batch size: `dynamic`, or a number that the file is fixed to.
    #[arg(long, default_value = "dynamic", value_name = "N", value_parser = batch)]
    batch: Batch,
}

/// `dynamic`, or a number.
#[derive(Clone, Copy)]
struct Batch(Option<usize>);

fn batch(text: &str) -> Result<Batch, String> {
    match (text, text.parse::<usize>()) {
        ("dynamic", _) => Ok(Batch(None)),
        (_, Ok(size)) if size > 0 => Ok(Batch(Some(size))),
        _ => Err(format!("{text:?} is no batch size; write dynamic or a number from 1")),
    }
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let Self { run, out, name, opset, batch } = self;
        let compiled = compile(&Request { run: &run, out: &out, name: name.as_deref(), opset, batch: batch.0 })?;
        print(&compiled.rows);
        let megabytes = compiled.bytes as f64 / 1e6;
        println!("\n{}: {} nodes, {megabytes:.2} MB", compiled.path.display(), compiled.nodes);
        Ok(())
    }
}
