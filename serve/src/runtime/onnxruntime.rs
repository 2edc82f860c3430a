//! ONNX Runtime, loaded at run time from a shared library, on the processor or what an execution provider reaches.

use super::alive::Alive;
use super::graph::no_capture;
use super::lanes::{Lane, Maker, Names, idle};
use super::library::locate;
use super::provider::Provider;
use super::spread::Spread;
use super::{Device, Found, IoBinding, Options, Output, Runtime, Session, Values, provider, telemetry};
use crate::Error;
use crate::config::threads;
use crate::model_file::ModelFile;
use ort::environment::Environment;
use ort::session::Session as OrtSession;
use ort::session::builder::SessionBuilder;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// ONNX Runtime.
pub struct OnnxRuntime;

pub const NAME: &str = "onnxruntime";

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
        let open = |threads: usize, binding: IoBinding| {
            let _quiet = no_capture();
            build(&environment, device, threads, binding)
                .and_then(|mut builder| builder.commit_from_file(&file.path).map_err(text))
                .map_err(|reason| Error::Load { path: file.path.clone(), runtime: NAME, reason })
        };
        let buckets = options.buckets(file.fixed_batch, device);
        let candidates = candidates(file, device, options, &buckets)?;
        let sizes = sizes(buckets, device, candidates);
        let names = Names::of(file);
        let weights = file.bytes() * sizes.len() as u64;
        let (spread, mut measured, mut told) = match asked(weights, device, options) {
            Some(spread) => (spread, None, Vec::new()),
            None => {
                let run = |session: &mut OrtSession| trial(&names, session, file);
                let (spread, session, told) = Spread::measured(weights, |threads| open(threads, IoBinding::None), run)?;
                (spread, Some(session), vec![format!("{spread}; an image takes {told}")])
            }
        };
        let fastest = options.io_binding == IoBinding::Auto;
        let open = |binding| open(spread.threads, binding);
        let maker = Maker { file, device, names: &names, candidates, fastest, open };
        let mut lanes: BTreeMap<usize, Vec<Lane>> = BTreeMap::new();
        for size in sizes {
            let first = measured.take();
            let made = match size {
                Some(batch) if !candidates.is_empty() => {
                    let (made, found) = maker.bound(batch, spread.at_once, first)?;
                    told.push(format!("I/O binding: {found}"));
                    made
                }
                _ => maker.free(spread.at_once, first)?,
            };
            lanes.insert(size.unwrap_or(usize::MAX), made);
        }
        // Where nothing is bound, the processor does without sessions for each size.
        if device.is_processor() && lanes.values().flatten().all(Lane::is_free) {
            lanes = lanes.pop_last().map(|(_, lanes)| (usize::MAX, lanes)).into_iter().collect();
        }
        let lanes =
            lanes.into_iter().map(|(size, lanes)| (size, lanes.into_iter().map(Mutex::new).collect())).collect();
        let told = Some(told.join("; ")).filter(|told| !told.is_empty());
        let alive = (!device.is_processor()).then(Alive::new);
        Ok(Box::new(OnnxRuntimeSession { lanes, at_once: spread.at_once, names, told, _alive: alive }))
    }
}

/// The ways to bind that are tried.
fn candidates(
    file: &ModelFile,
    device: Device,
    options: &Options,
    buckets: &[usize],
) -> Result<&'static [IoBinding], Error> {
    let wrong = |reason| Error::Load { path: file.path.clone(), runtime: NAME, reason };
    let candidates = options.io_binding.candidates(device).map_err(wrong)?;
    match options.io_binding {
        IoBinding::Auto if buckets.is_empty() => Ok(&[]),
        way if buckets.is_empty() && !candidates.is_empty() => {
            Err(wrong(format!("I/O binding {way} needs the sizes of batches: name them with --batch-buckets")))
        }
        _ => Ok(candidates),
    }
}

/// The largest batch of each session: one for each bucket where a session plans for the size of its batch or has tensors of that size,
/// else one for any.
fn sizes(buckets: Vec<usize>, device: Device, candidates: &[IoBinding]) -> Vec<Option<usize>> {
    let one_for_any = device.is_processor() && candidates.is_empty();
    if buckets.is_empty() || one_for_any { vec![None] } else { buckets.into_iter().map(Some).collect() }
}

/// Runs the smallest batch and tells how long that takes.
fn trial(names: &Names, session: &mut OrtSession, file: &ModelFile) -> Result<Duration, String> {
    let shape = file.card.input.shape(file.fixed_batch.unwrap_or(1));
    let start = Instant::now();
    names.run(session, &shape, &Values::zeros(file.card.input.dtype)).map(|_| start.elapsed())
}

pub(super) fn environment(path: &Path) -> Result<Environment, Error> {
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
    build(environment, device, 1, IoBinding::None).map(drop)
}

pub(super) fn build(
    environment: &Environment,
    device: Device,
    threads: usize,
    binding: IoBinding,
) -> Result<SessionBuilder, String> {
    let builder = OrtSession::builder(environment).map_err(text)?;
    let builder = builder.with_intra_threads(threads).map_err(|error| error.to_string())?;
    // Threads that spin while they wait take the processors that decode images.
    let builder = builder.with_intra_op_spinning(false).map_err(|error| error.to_string())?;
    builder
        .with_execution_providers(provider::dispatch(device, threads, binding == IoBinding::CudaGraphs))
        .map_err(|error| error.to_string())
}

fn text(error: ort::Error) -> String {
    error.to_string()
}

/// How the model is spread, unless that is to be measured. What is no processor has threads of its own.
fn asked(weights: u64, device: Device, options: &Options) -> Option<Spread> {
    match device {
        Device::Cpu => Spread::asked(options, weights),
        _ => Some(Spread { threads: threads(options.threads), at_once: options.sessions.max(1) }),
    }
}

struct OnnxRuntimeSession {
    /// Sessions that run beside each other, by the largest batch that they get. On a GPU each bucket has sessions of its own,
    /// which keep its plan.
    lanes: BTreeMap<usize, Vec<Mutex<Lane>>>,
    at_once: usize,
    names: Names,
    told: Option<String>,
    /// Goes last.
    _alive: Option<Alive>,
}

impl Session for OnnxRuntimeSession {
    fn run(&self, shape: &[usize], input: &Values<'_>) -> Result<Vec<Output>, String> {
        let batch = shape.first().copied().unwrap_or(0);
        let lanes = self.lanes.range(batch..).next().map(|(_, lanes)| lanes.as_slice());
        let mut lane = lanes.and_then(idle).ok_or_else(|| format!("no session takes a batch of {batch}"))?;
        lane.run(&self.names, shape, input)
    }

    fn at_once(&self) -> usize {
        self.at_once
    }

    fn copies(&self) -> usize {
        self.lanes.values().map(Vec::len).sum()
    }

    fn spread(&self) -> Option<&str> {
        self.told.as_deref()
    }
}

impl Drop for OnnxRuntimeSession {
    fn drop(&mut self) {
        let _quiet = no_capture();
        self.lanes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_has_a_session_for_each_bucket_and_a_processor_one_for_all() {
        let sizes = |buckets: &[usize], device| sizes(buckets.to_vec(), device, &[]);
        assert_eq!(sizes(&[1, 4], Device::Cuda(0)), [Some(1), Some(4)]);
        assert_eq!(sizes(&[1, 4], Device::TensorRt(0)), [Some(1), Some(4)]);
        assert_eq!(sizes(&[], Device::Cuda(0)), [None]);
        assert_eq!(sizes(&[1, 4], Device::Cpu), [None]);
    }

    #[test]
    fn bound_tensors_have_a_size() {
        assert_eq!(sizes(vec![1, 4], Device::Cpu, &[IoBinding::Pinned]), [Some(1), Some(4)]);
        assert_eq!(sizes(Vec::new(), Device::Cpu, &[IoBinding::Pinned]), [None]);
    }
}
