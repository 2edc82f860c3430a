//! What the measurements of the server share: their runtime, and files for what they found.

use anyhow::Context;
use selfie_serve::runtime::{Device, Options};
use std::path::{Path, PathBuf};

/// The runtime that is measured.
#[derive(clap::Args)]
pub struct RuntimeArguments {
    /// Runtime: auto, onnxruntime, tract or rten.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    runtime: String,
    /// Device: auto, cpu, cuda, cuda:N, tensorrt, tensorrt:N, openvino, openvino:gpu or openvino:npu.
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: Device,
    /// ONNX Runtime's shared library, instead of ORT_DYLIB_PATH's or the installed one.
    #[arg(long, value_name = "FILE")]
    onnxruntime: Option<PathBuf>,
}

impl RuntimeArguments {
    /// As the server takes it, with all processors.
    pub fn options(self) -> Options {
        let Self { runtime, device, onnxruntime } = self;
        Options { runtime, device, onnxruntime, ..Options::default() }
    }
}

/// Parses a duration in seconds.
pub fn seconds(text: &str) -> Result<std::time::Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.05..=3600.0).contains(&seconds) => Ok(std::time::Duration::from_secs_f64(seconds)),
        _ => Err(format!("{text:?} is no time; write seconds, 0.05 to 3600")),
    }
}

/// Parses the width and height of an image, `500x375`.
pub fn size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    match sides {
        Some((width @ 8..=8192, height @ 8..=8192)) => Ok((width, height)),
        _ => Err(format!("{text:?} is no size; write 500x375, sides of 8 to 8192")),
    }
}

/// Writes files into a folder, which is made, and says where they are.
pub fn save(folder: &Path, files: &[(&str, &str)]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}", path.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_number_of_seconds() {
        assert_eq!(seconds("0.5").unwrap().as_millis(), 500);
        for text in ["", "0", "-1", "nan", "1e9", "1s"] {
            assert!(seconds(text).unwrap_err().contains("seconds"), "{text:?}");
        }
    }

    #[test]
    fn a_size_has_two_sides() {
        assert_eq!(size("500x375"), Ok((500, 375)));
        for text in ["", "500", "500x", "0x10", "500X375", "9000x10"] {
            assert!(size(text).unwrap_err().contains("500x375"), "{text:?}");
        }
    }
}
