//! ONNX Runtime, loaded at run time from a shared library, on the processor or what an execution provider reaches.

use super::library::locate;
use super::provider::Provider;
use super::spread::Spread;
use super::{Device, Found, Options, Output, Runtime, Session, Values, provider, telemetry};
use crate::Error;
use crate::config::threads;
use crate::model_file::ModelFile;
use ort::environment::Environment;
use ort::session::Session as OrtSession;
use ort::session::builder::SessionBuilder;
use ort::value::TensorRef;
use selfie_models::card::InputDtype;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

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
        let open = |threads: usize| {
            build(&environment, device, threads)
                .and_then(|mut builder| builder.commit_from_file(&file.path).map_err(text))
                .map_err(|reason| Error::Load { path: file.path.clone(), runtime: NAME, reason })
        };
        let names = Names::of(file);
        let (spread, mut measured, told) = match asked(file, device, options) {
            Some(spread) => (spread, None, None),
            None => {
                let run = |session: &mut OrtSession| names.trial(session, file);
                let (spread, session, told) = Spread::measured(file.bytes(), open, run)?;
                (spread, Some(session), Some(format!("{spread}; an image takes {told}")))
            }
        };
        let mut lane = || measured.take().map_or_else(|| open(spread.threads), Ok).map(Mutex::new);
        let mut lanes = |size| Ok((size, (0..spread.at_once).map(|_| lane()).collect::<Result<_, Error>>()?));
        let sizes = sizes(options.buckets(file.fixed_batch, device), device);
        let lanes = sizes.into_iter().map(&mut lanes).collect::<Result<_, Error>>()?;
        Ok(Box::new(OnnxRuntimeSession { lanes, at_once: spread.at_once, names, spread: told }))
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
    let builder = OrtSession::builder(environment).map_err(text)?;
    let builder = builder.with_intra_threads(threads).map_err(|error| error.to_string())?;
    // Threads that spin while they wait take the processors that decode images.
    let builder = builder.with_intra_op_spinning(false).map_err(|error| error.to_string())?;
    builder.with_execution_providers(provider::dispatch(device, threads)).map_err(|error| error.to_string())
}

fn text(error: ort::Error) -> String {
    error.to_string()
}

/// How the model is spread, unless that is to be measured. What is no processor has threads of its own.
fn asked(file: &ModelFile, device: Device, options: &Options) -> Option<Spread> {
    match device {
        Device::Cpu => Spread::asked(options, file.bytes()),
        _ => Some(Spread { threads: threads(options.threads), at_once: options.sessions.max(1) }),
    }
}

struct OnnxRuntimeSession {
    /// Sessions that run beside each other, by the largest batch that they get. On a GPU each bucket has sessions of its own,
    /// which keep its plan.
    lanes: BTreeMap<usize, Vec<Mutex<OrtSession>>>,
    at_once: usize,
    names: Names,
    spread: Option<String>,
}

impl Session for OnnxRuntimeSession {
    fn run(&self, shape: &[usize], input: Values<'_>) -> Result<Vec<Output>, String> {
        let batch = shape.first().copied().unwrap_or(0);
        let lanes = self.lanes.range(batch..).next().map(|(_, lanes)| lanes.as_slice());
        let mut session = lanes.and_then(free).ok_or_else(|| format!("no session takes a batch of {batch}"))?;
        self.names.run(&mut session, shape, input)
    }

    fn at_once(&self) -> usize {
        self.at_once
    }

    fn copies(&self) -> usize {
        self.lanes.values().map(Vec::len).sum()
    }

    fn spread(&self) -> Option<&str> {
        self.spread.as_deref()
    }
}

/// A session that nobody uses, or the first one as soon as it is free.
fn free(lanes: &[Mutex<OrtSession>]) -> Option<MutexGuard<'_, OrtSession>> {
    let free = lanes.iter().find_map(|lane| match lane.try_lock() {
        Ok(session) => Some(session),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    });
    free.or_else(|| lanes.first().map(|lane| lane.lock().unwrap_or_else(PoisonError::into_inner)))
}

/// What goes in and what comes out.
struct Names {
    input: String,
    outputs: Vec<String>,
}

impl Names {
    fn of(file: &ModelFile) -> Self {
        let outputs = file.output_names().into_iter().map(str::to_owned).collect();
        Self { input: file.card.input.name.clone(), outputs }
    }

    /// Runs the smallest batch and tells how long that takes.
    fn trial(&self, session: &mut OrtSession, file: &ModelFile) -> Result<Duration, String> {
        let shape = file.card.input.shape(file.fixed_batch.unwrap_or(1));
        let count = shape.iter().product();
        let start = Instant::now();
        let outputs = match file.card.input.dtype {
            InputDtype::F32 => self.run(session, &shape, Values::F32(&vec![0.0; count])),
            InputDtype::U8 => self.run(session, &shape, Values::U8(&vec![0; count])),
        };
        outputs.map(|_| start.elapsed())
    }

    fn run(&self, session: &mut OrtSession, shape: &[usize], input: Values<'_>) -> Result<Vec<Output>, String> {
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
        let output = |name: &String| {
            let output = outputs.get(name).ok_or_else(|| format!("it gave no output \"{name}\""))?;
            let (shape, values) = output.try_extract_tensor::<f32>().map_err(text)?;
            let shape = shape.iter().map(|side| usize::try_from(*side).unwrap_or(0)).collect();
            Ok(Output { shape, values: values.to_vec() })
        };
        self.outputs.iter().map(output).collect()
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
