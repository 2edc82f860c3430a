//! Where ONNX Runtime's shared library is.

use super::wheel::WHEELS;
use super::{Device, Options};
use crate::Error;
use std::env;
use std::path::{Path, PathBuf};

/// The environment variable with the path of the library, as the `ort` crate names it.
pub const VARIABLE: &str = "ORT_DYLIB_PATH";

/// The library: the path of the options, else that of [`VARIABLE`], else the one that `selfie runtime install` put
/// into the cache.
///
/// # Errors
/// [`Error::Runtime`] names the places that were looked into.
pub fn locate(options: &Options) -> Result<PathBuf, Error> {
    let given = options.onnxruntime.clone().map(|path| (path, "the option onnxruntime"));
    let variable = env::var_os(VARIABLE).filter(|path| !path.is_empty());
    let named = given.or_else(|| variable.map(|path| (PathBuf::from(path), VARIABLE)));
    if let Some((path, origin)) = named {
        if path.is_file() {
            return Ok(absolute(path));
        }
        let reason = format!(
            "{} (from {origin}) is not a file; name a libonnxruntime, or run `selfie runtime install` and name none",
            path.display()
        );
        return Err(Error::Runtime { name: "onnxruntime".into(), reason });
    }
    let cache = cache_folder();
    let places = cached(&cache, options.device);
    if let Some(path) = places.iter().find(|path| path.is_file()) {
        return Ok(path.clone());
    }
    let reason = format!(
        "no shared library: the option onnxruntime and {VARIABLE} are not set, and {} holds none; \
         run `selfie runtime install`",
        cache.join("onnxruntime").display()
    );
    Err(Error::Runtime { name: "onnxruntime".into(), reason })
}

/// The folder for what can be fetched again: `SELFIE_CACHE`, else `selfie` in `XDG_CACHE_HOME`, else
/// `.cache/selfie` in the home folder.
pub fn cache_folder() -> PathBuf {
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("SELFIE_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("selfie")))
        .or_else(|| env::home_dir().map(|home| home.join(".cache").join("selfie")))
        .unwrap_or_else(|| PathBuf::from(".selfie-cache"))
}

/// The places of installed libraries, those that suit `device` best first.
fn cached(cache: &Path, device: Device) -> Vec<PathBuf> {
    let mut wheels: Vec<_> = WHEELS.iter().filter(|wheel| wheel.is_for_this_machine()).collect();
    wheels.retain(|wheel| wheel.cuda || device.nvidia().is_none());
    wheels.sort_by_key(|wheel| wheel.cuda == (device == Device::Cpu));
    wheels.iter().map(|wheel| wheel.library(cache)).collect()
}

fn absolute(path: PathBuf) -> PathBuf {
    path.canonicalize().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_was_given_is_taken_or_refused_never_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("libonnxruntime.so");
        let options = Options { onnxruntime: Some(path.clone()), ..Options::default() };
        let message = locate(&options).unwrap_err().to_string();
        assert!(message.contains("the option onnxruntime") && message.contains("is not a file"), "{message}");
        std::fs::write(&path, b"").unwrap();
        assert_eq!(locate(&options).unwrap(), path.canonicalize().unwrap());
    }

    #[test]
    fn a_gpu_needs_the_library_with_cuda_and_a_processor_prefers_the_small_one() {
        let cache = Path::new("cache");
        for device in [Device::Cuda(0), Device::TensorRt(0)] {
            assert!(cached(cache, device).iter().all(|path| path.to_string_lossy().contains("cuda")), "{device}");
        }
        if let [first, .., last] = &cached(cache, Device::Cpu)[..] {
            assert!(!first.to_string_lossy().contains("cuda") && last.to_string_lossy().contains("cuda"));
        }
    }
}
