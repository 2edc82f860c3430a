//! `selfie rehearse`

use selfie_serve::engine::rehearse;
use selfie_serve::runtime::{Device, Options};
use std::path::PathBuf;

/// Arguments of `selfie rehearse`.
#[derive(clap::Args)]
pub struct Arguments {
    /// ONNX file with a card.
    model: PathBuf,
    /// Runtime: onnxruntime, tract or rten.
    #[arg(long, value_name = "NAME")]
    runtime: String,
    /// Device of the runtime.
    #[arg(long, value_name = "DEVICE")]
    device: Device,
    /// ONNX Runtime's shared library.
    #[arg(long, value_name = "FILE")]
    onnxruntime: Option<PathBuf>,
}

impl Arguments {
    pub fn run(self) -> anyhow::Result<()> {
        let Self { model, runtime, device, onnxruntime } = self;
        Ok(rehearse(&model, Options { runtime, device, onnxruntime, ..Options::default() })?)
    }
}
