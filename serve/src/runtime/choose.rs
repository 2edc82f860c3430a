//! Which runtimes may serve: the one that was named, or for `auto` those that work here.

use super::{Device, IoBinding, Options, RUNTIMES, Runtime, runtimes};
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

/// A runtime that may serve.
#[derive(Clone)]
pub struct Candidate {
    /// The runtime.
    pub runtime: &'static dyn Runtime,
    /// What is said about it when it serves.
    pub choice: Choice,
}

/// Chooses the runtimes that may serve; there is at least one, and several only for `auto`, of which each model takes the
/// fastest. A runtime or device that was named and is missing is an error; only `auto` may pass over one.
///
/// # Errors
/// [`Error::Runtime`] or [`Error::Device`] says what is missing and what to do, [`Error::Option`] which option does not go with it.
pub fn choose(options: &Options) -> Result<Vec<Candidate>, Error> {
    let candidates = working(options)?;
    for Candidate { choice, .. } in &candidates {
        let wrong = |reason| Error::Option { option: "io_binding", reason };
        if choice.runtime == super::onnxruntime::NAME {
            options.io_binding.candidates(choice.device).map_err(wrong)?;
        } else if !matches!(options.io_binding, IoBinding::None | IoBinding::Auto) {
            return Err(wrong(format!("{} is for onnxruntime; here {} serves", options.io_binding, choice.runtime)));
        }
    }
    Ok(candidates)
}

fn working(options: &Options) -> Result<Vec<Candidate>, Error> {
    if options.runtime != "auto" {
        let Some(runtime) = runtimes().find(|runtime| runtime.name() == options.runtime) else {
            let known: Vec<&str> = runtimes().map(|runtime| runtime.name()).collect();
            let reason = format!("unknown; known are auto and {}", known.join(", "));
            return Err(Error::Runtime { name: options.runtime.clone(), reason });
        };
        let found = runtime.check(options)?;
        let reason = format!("it was asked for; {}", found.detail);
        let choice = Choice { runtime: runtime.name(), device: found.device, reason };
        return Ok(vec![Candidate { runtime, choice }]);
    }
    let mut passed_over = Vec::new();
    for group in RUNTIMES {
        let mut works = Vec::new();
        for runtime in *group {
            match runtime.check(options) {
                Ok(found) => works.push((*runtime, found)),
                Err(error) => passed_over.push(error.to_string()),
            }
        }
        if !works.is_empty() {
            let candidate = |(runtime, found): (&'static dyn Runtime, super::Found)| {
                let reasons: Vec<String> = passed_over.iter().cloned().chain([found.detail]).collect();
                let choice = Choice { runtime: runtime.name(), device: found.device, reason: reasons.join("; ") };
                Candidate { runtime, choice }
            };
            return Ok(works.into_iter().map(candidate).collect());
        }
    }
    let reason = format!("none works for device {}: {}", options.device, passed_over.join("; "));
    Err(Error::Runtime { name: "auto".into(), reason })
}

/// What is said when none of the candidates takes a model: the reason of the only one, or all of them.
pub(crate) fn refused(mut reasons: Vec<Error>) -> Error {
    if reasons.len() == 1 {
        return reasons.remove(0);
    }
    let reasons: Vec<String> = reasons.iter().map(Error::to_string).collect();
    Error::Runtime { name: "auto".into(), reason: reasons.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn options(runtime: &str, device: Device) -> Options {
        let onnxruntime = Some(PathBuf::from("/does/not/exist/libonnxruntime.so"));
        Options { runtime: runtime.into(), device, onnxruntime, threads: 1, ..Options::default() }
    }

    #[test]
    fn auto_without_onnx_runtime_leaves_the_choice_to_what_is_built_in_and_says_why() {
        let candidates = choose(&options("auto", Device::Auto)).unwrap();
        let names: Vec<&str> = candidates.iter().map(|candidate| candidate.runtime.name()).collect();
        assert_eq!(names, ["tract", "rten"]);
        for Candidate { choice, .. } in candidates {
            assert_eq!(choice.device, Device::Cpu);
            assert!(choice.reason.contains("/does/not/exist"), "{}", choice.reason);
        }
    }

    #[test]
    fn what_was_named_and_is_missing_is_an_error() {
        let cases = [
            ("onnxruntime", Device::Auto, "selfie runtime install"),
            ("tract", Device::Cuda(0), "cuda:0"),
            ("rten", Device::TensorRt(1), "tensorrt:1"),
            ("auto", Device::Cuda(1), "none works"),
            ("tensorflow", Device::Cpu, "known are auto and onnxruntime, tract, rten"),
        ];
        for (runtime, device, expected) in cases {
            let message = match choose(&options(runtime, device)) {
                Ok(candidates) => format!("chose {:?}", candidates[0].choice),
                Err(error) => error.to_string(),
            };
            assert!(message.contains(expected), "{message:?} does not say {expected:?}");
        }
    }
}
