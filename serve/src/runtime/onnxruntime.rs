//! ONNX Runtime, loaded at run time from a shared library, on the processor or what an execution provider reaches.

use super::library::locate;
use super::provider::Provider;
use super::{Device, Found, Options, Output, Runtime, Session, Values, provider, telemetry};
use crate::Error;
use crate::config::threads;
use crate::model_file::ModelFile;
use ort::environment::Environment;
use ort::session::builder::SessionBuilder;
use ort::value::TensorRef;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// ONNX Runtime.
pub struct OnnxRuntime;

const NAME: &str = "onnxruntime";

/// A process can load one ONNX Runtime; this is the one, with the path that it came from.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

impl Runtime for OnnxRuntime {
    fn name(&self) -> &'static str {
        NAME
    }

    fn check(&self, options: &Options) -> Result<Found, Error> {
        let path = locate(options)?;
        let environment = environment(&path)?;
        let place = format!("ONNX Runtime is at {}", path.display());
        let wanted = if options.device == Device::Auto { Device::Cuda(0) } else { options.device };
        let Some(provider) = provider::of(wanted) else { return Ok(Found { device: wanted, detail: place }) };
        let (name, advice) = (provider.name, provider.advice);
        match (try_provider(&environment, wanted, &provider), options.device) {
            (Ok(()), Device::Auto) => Ok(Found { device: wanted, detail: format!("{place} and {name} works") }),
            (Err(reason), Device::Auto) => {
                Ok(Found { device: Device::Cpu, detail: format!("{place}, without {name}: {reason}") })
            }
            (Ok(()), device) => Ok(Found { device, detail: place }),
            (Err(reason), device) => {
                let reason = format!("{place}, but {name} does not work with it: {reason}; {advice}");
                Err(Error::Device { name: device.to_string(), reason })
            }
        }
    }

    fn load(&self, file: &ModelFile, device: Device, options: &Options) -> Result<Box<dyn Session>, Error> {
        let environment = environment(&locate(options)?)?;
        let session = || {
            build(&environment, device, threads(options.threads))
                .and_then(|mut builder| builder.commit_from_file(&file.path).map_err(text))
                .map_err(|reason| Error::Load { path: file.path.clone(), runtime: NAME, reason })
        };
        let session = |size| Ok((size, Mutex::new(session()?)));
        let sizes = sizes(options.buckets(file.fixed_batch, device), device);
        let sessions = sizes.into_iter().map(session).collect::<Result<_, Error>>()?;
        let input = file.card.input.name.clone();
        let outputs = file.output_names().into_iter().map(str::to_owned).collect();
        Ok(Box::new(OnnxRuntimeSession { sessions, input, outputs }))
    }
}

/// The largest batch of each session: one for each bucket where a session plans for the size of its batch, else one for all.
fn sizes(buckets: Vec<usize>, device: Device) -> Vec<usize> {
    if buckets.is_empty() || device.is_processor() { vec![usize::MAX] } else { buckets }
}

fn environment(path: &Path) -> Result<Environment, Error> {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let wrong = |reason: String| Error::Runtime { name: NAME.into(), reason };
    if let Some((first, environment)) = &*loaded {
        if first != path {
            let reason = format!("{} is loaded already; a process can load only one", first.display());
            return Err(wrong(reason));
        }
        return Ok(environment.clone());
    }
    if !telemetry::is_disabled() {
        tracing::warn!(
            "{} is not set to 1: ONNX Runtime may send one start event before its telemetry is switched off",
            telemetry::VARIABLE
        );
    }
    let environment = ort::init_from(path)
        .map_err(|error| wrong(format!("{error}; `selfie runtime install` installs one that works")))?
        .with_name("selfie")
        .with_telemetry(false)
        .build()
        .map_err(|error| wrong(format!("{} does not start: {error}", path.display())))?;
    *loaded = Some((path.to_owned(), environment.clone()));
    Ok(environment)
}

fn try_provider(environment: &Environment, device: Device, provider: &Provider) -> Result<(), String> {
    if !(provider.is_built_in)().map_err(text)? {
        return Err(format!("the library is built without {}", provider.name));
    }
    build(environment, device, 1).map(drop)
}

fn build(environment: &Environment, device: Device, threads: usize) -> Result<SessionBuilder, String> {
    let builder = ort::session::Session::builder(environment).map_err(text)?;
    let builder = builder.with_intra_threads(threads).map_err(|error| error.to_string())?;
    // Threads that spin while they wait take the processors that decode images.
    let builder = builder.with_intra_op_spinning(false).map_err(|error| error.to_string())?;
    builder.with_execution_providers(provider::dispatch(device, threads)).map_err(|error| error.to_string())
}

fn text(error: ort::Error) -> String {
    error.to_string()
}

struct OnnxRuntimeSession {
    /// By the largest batch that they get. On a GPU each bucket has a session of its own, which keeps its plan.
    sessions: BTreeMap<usize, Mutex<ort::session::Session>>,
    input: String,
    outputs: Vec<String>,
}

impl Session for OnnxRuntimeSession {
    fn run(&self, shape: &[usize], input: Values<'_>) -> Result<Vec<Output>, String> {
        let batch = shape.first().copied().unwrap_or(0);
        let session =
            self.sessions.range(batch..).next().ok_or_else(|| format!("no session takes a batch of {batch}"))?;
        let mut session = session.1.lock().unwrap_or_else(PoisonError::into_inner);
        let name = self.input.as_str();
        let outputs = match input {
            Values::F32(values) => {
                session.run(ort::inputs![name => TensorRef::from_array_view((shape, values)).map_err(text)?])
            }
            Values::U8(values) => {
                session.run(ort::inputs![name => TensorRef::from_array_view((shape, values)).map_err(text)?])
            }
        };
        let outputs = outputs.map_err(text)?;
        self.outputs
            .iter()
            .map(|name| {
                let output = outputs.get(name).ok_or_else(|| format!("it gave no output \"{name}\""))?;
                let (shape, values) = output.try_extract_tensor::<f32>().map_err(text)?;
                let shape = shape.iter().map(|side| usize::try_from(*side).unwrap_or(0)).collect();
                Ok(Output { shape, values: values.to_vec() })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_has_a_session_for_each_bucket_and_a_processor_one_for_all() {
        assert_eq!(sizes(vec![1, 4], Device::Cuda(0)), [1, 4]);
        assert_eq!(sizes(vec![1, 4], Device::TensorRt(0)), [1, 4]);
        assert_eq!(sizes(Vec::new(), Device::Cuda(0)), [usize::MAX]);
        assert_eq!(sizes(vec![1, 4], Device::Cpu), [usize::MAX]);
    }
}
