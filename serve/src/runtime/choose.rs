//! Which runtime serves: the one that was named, or for `auto` the first that works here.

use super::{Device, Options, RUNTIMES, Runtime};
use crate::Error;

/// The runtime that serves, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Name of the runtime.
    pub runtime: &'static str,
    /// The device that it uses.
    pub device: Device,
    /// Why this runtime and this device.
    pub reason: String,
}

/// Chooses the runtime. A runtime or device that was named and is missing is an error; only `auto` may pass over one.
///
/// # Errors
/// [`Error::Runtime`] or [`Error::Device`] says what is missing and what to do.
pub fn choose(options: &Options) -> Result<(&'static dyn Runtime, Choice), Error> {
    if options.runtime != "auto" {
        let Some(runtime) = RUNTIMES.iter().find(|runtime| runtime.name() == options.runtime) else {
            let known: Vec<&str> = RUNTIMES.iter().map(|runtime| runtime.name()).collect();
            let reason = format!("unknown; known are auto and {}", known.join(", "));
            return Err(Error::Runtime { name: options.runtime.clone(), reason });
        };
        let found = runtime.check(options)?;
        let reason = format!("it was asked for; {}", found.detail);
        return Ok((*runtime, Choice { runtime: runtime.name(), device: found.device, reason }));
    }
    let mut passed_over = Vec::new();
    for runtime in RUNTIMES {
        match runtime.check(options) {
            Ok(found) => {
                let reasons: Vec<String> = passed_over.into_iter().chain([found.detail]).collect();
                let choice = Choice { runtime: runtime.name(), device: found.device, reason: reasons.join("; ") };
                return Ok((*runtime, choice));
            }
            Err(error) => passed_over.push(error.to_string()),
        }
    }
    let reason = format!("none works for device {}: {}", options.device, passed_over.join("; "));
    Err(Error::Runtime { name: "auto".into(), reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn options(runtime: &str, device: Device) -> Options {
        let onnxruntime = Some(PathBuf::from("/does/not/exist/libonnxruntime.so"));
        Options { runtime: runtime.into(), device, onnxruntime, threads: 1 }
    }

    #[test]
    fn auto_falls_to_tract_and_says_why() {
        let (runtime, choice) = choose(&options("auto", Device::Auto)).unwrap();
        assert_eq!((runtime.name(), choice.device), ("tract", Device::Cpu));
        assert!(choice.reason.contains("/does/not/exist"), "{}", choice.reason);
    }

    #[test]
    fn what_was_named_and_is_missing_is_an_error() {
        let cases = [
            ("onnxruntime", Device::Auto, "selfie runtime install"),
            ("tract", Device::Cuda(0), "cuda:0"),
            ("auto", Device::Cuda(1), "none works"),
            ("tensorflow", Device::Cpu, "known are auto and onnxruntime, tract"),
        ];
        for (runtime, device, expected) in cases {
            let message = match choose(&options(runtime, device)) {
                Ok((_, choice)) => format!("chose {choice:?}"),
                Err(error) => error.to_string(),
            };
            assert!(message.contains(expected), "{message:?} does not say {expected:?}");
        }
    }
}
