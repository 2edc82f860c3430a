//! `selfie export`

use crate::compile::{InputForm, Passes, PrecisionOptions, Request, compile};
use std::path::PathBuf;

/// Arguments of `selfie export`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Run folder of a finished run, or an ONNX file in f32 that `selfie export` wrote.
    #[arg(value_name = "RUN|FILE")]
    source: PathBuf,
    /// Model store, where the model becomes the newest version, or a file that ends with `.onnx`.
    #[arg(long, value_name = "STORE|FILE")]
    out: PathBuf,
    /// Name of the model instead of the run's.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Version of ONNX's operators, 13 to 24; 17 unless it is given or `--target` wants another.
    #[arg(long, value_name = "N")]
    opset: Option<i64>,
    /// Batch size: `dynamic`, or a number that the file is fixed to.
    #[arg(long, default_value = "dynamic", value_name = "N", value_parser = batch)]
    batch: Batch,
    /// What the file takes: normalised floats, channels first, or bytes, channels last, that it normalises itself.
    #[arg(long, value_enum, default_value_t = InputForm::F32, value_name = "FORM")]
    input: InputForm,
    /// Put the weights into a second file, which is called as the first with `.data` behind.
    #[arg(long)]
    external_data: bool,
    #[command(flatten)]
    precision: PrecisionOptions,
    #[command(flatten)]
    passes: Passes,
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
        let Self { source, out, name, opset, batch, input, external_data, precision, passes } = self;
        let report = passes.report;
        let (source, out, name, batch) = (&source, &out, name.as_deref(), batch.0);
        compile(&Request { source, out, name, opset, batch, input, external_data, precision, passes })?.print(report);
        Ok(())
    }
}
