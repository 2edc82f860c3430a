//! The sessions of ONNX Runtime that run batches of one size beside each other, bound where that was asked for and helps.

use super::bound::{Bound, Places, no_capture};
use super::spread::race;
use super::values::whole;
use super::{Device, IoBinding, Output, Values};
use crate::Error;
use crate::model_file::ModelFile;
use ort::session::Session;
use ort::value::TensorRef;
use selfie_models::card::InputDtype;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::time::{Duration, Instant};

/// Part of the largest number of an output by which a bound session may differ from one that is not.
const TOLERANCE: f32 = 1e-3;

/// What makes sessions of a model.
pub struct Maker<'a, F> {
    /// The model.
    pub file: &'a ModelFile,
    /// Where it runs.
    pub device: Device,
    /// What goes in and what comes out.
    pub names: &'a Names,
    /// Ways to bind that are tried.
    pub candidates: &'a [IoBinding],
    /// Whether only what is faster is taken.
    pub fastest: bool,
    /// Opens a session, with CUDA graphs or without.
    pub open: F,
}

impl<F: Fn(IoBinding) -> Result<Session, Error>> Maker<'_, F> {
    /// `count` sessions for batches of any size. The first of them may be there already.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn free(&self, count: usize, first: Option<Session>) -> Result<Vec<Lane>, Error> {
        let rest = (first.iter().count()..count).map(|_| (self.open)(IoBinding::None));
        first.map(Ok).into_iter().chain(rest).map(|session| session.map(Lane::Free)).collect()
    }

    /// `count` sessions for batches of `batch`, bound in the way that won, and what was found, in words.
    ///
    /// # Errors
    /// Those of `open` for a session that is not bound: one that cannot be bound runs without.
    pub fn bound(&self, batch: usize, count: usize, first: Option<Session>) -> Result<(Vec<Lane>, String), Error> {
        let free = first.map_or_else(|| (self.open)(IoBinding::None), Ok).map(Lane::Free)?;
        let (way, first, told) = self.contest(batch, free);
        let another = |_| match way {
            IoBinding::None => (self.open)(way).map(Lane::Free),
            way => self.bind(way, batch).or_else(|_| (self.open)(IoBinding::None).map(Lane::Free)),
        };
        let lanes = std::iter::once(Ok(first)).chain((1..count).map(another)).collect::<Result<_, _>>()?;
        Ok((lanes, format!("batches of {batch} {told}")))
    }

    /// The candidate that won, if its numbers are those of the session that is not bound.
    fn contest(&self, batch: usize, free: Lane) -> (IoBinding, Lane, String) {
        let shape = self.file.card.input.shape(batch);
        let (mut best, mut way, mut told) = (free, IoBinding::None, Vec::new());
        for candidate in self.candidates {
            let raced = self.bind(*candidate, batch).map_err(reason).and_then(|mut lane| {
                self.agree(&mut best, &mut lane, &shape)?;
                let zeros = Values::zeros(self.file.card.input.dtype);
                let run = |lane: &mut Lane| {
                    let start = Instant::now();
                    lane.run(self.names, &shape, &zeros).map(|_| start.elapsed())
                };
                Ok((race([&mut best, &mut lane], run)?, lane))
            });
            match raced {
                Ok(([before, now], lane)) => {
                    if told.is_empty() {
                        told.push(format!("{} without", milliseconds(before)));
                    }
                    told.push(format!("{} {candidate}", milliseconds(now)));
                    if now < before || !self.fastest {
                        let _quiet = no_capture();
                        (best, way) = (lane, *candidate);
                    }
                }
                Err(reason) => told.push(format!("not {candidate}: {reason}")),
            }
        }
        (way, best, told.join(", "))
    }

    fn bind(&self, way: IoBinding, batch: usize) -> Result<Lane, Error> {
        let fails = |reason| Error::Load { path: self.file.path.clone(), runtime: super::onnxruntime::NAME, reason };
        let places = Places::new(way, self.device).map_err(|error| fails(error.to_string()))?;
        let session = (self.open)(way)?;
        Bound::new(session, &places, self.file, batch).map(|bound| Lane::Bound(Box::new(bound))).map_err(fails)
    }

    /// Whether both give the same numbers, which change with what goes in: a graph that is captured wrongly gives the same again.
    fn agree(&self, free: &mut Lane, bound: &mut Lane, shape: &[usize]) -> Result<(), String> {
        let len: usize = shape.iter().product();
        let bytes: Vec<u8> = (0..len).map(|index| (index % 251) as u8).collect();
        let floats: Vec<f32> = bytes.iter().map(|byte| f32::from(*byte) / 125.0 - 1.0).collect();
        let ramp = match self.file.card.input.dtype {
            InputDtype::F32 => Values::F32(vec![&floats]),
            InputDtype::U8 => Values::U8(vec![&bytes]),
        };
        let zeros = Values::zeros(self.file.card.input.dtype);
        for values in [&ramp, &zeros, &ramp] {
            let [expected, found] = [&mut *free, &mut *bound].map(|lane| lane.run(self.names, shape, values));
            for (expected, found) in expected?.iter().zip(&found?) {
                if let Some(difference) = difference(expected, found) {
                    return Err(format!("its numbers differ by {difference}"));
                }
            }
        }
        Ok(())
    }
}

/// What the runtime said, without the name of the file.
fn reason(error: Error) -> String {
    match error {
        Error::Load { reason, .. } => reason,
        other => other.to_string(),
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

/// By how much two outputs differ, if that is more than rounding.
fn difference(expected: &Output, found: &Output) -> Option<f32> {
    let largest = expected.values.iter().fold(1.0f32, |most, value| most.max(value.abs()));
    let differences = expected.values.iter().zip(&found.values).map(|(expected, found)| (expected - found).abs());
    differences.filter(|difference| *difference > TOLERANCE * largest).reduce(f32::max)
}

/// A session, and where what goes in and comes out lies.
pub enum Lane {
    /// Wherever ONNX Runtime puts it.
    Free(Session),
    /// Where it stays.
    Bound(Box<Bound>),
}

impl Lane {
    /// Runs one batch.
    ///
    /// # Errors
    /// What ONNX Runtime said.
    pub fn run(&mut self, names: &Names, shape: &[usize], values: &Values<'_>) -> Result<Vec<Output>, String> {
        let _quiet = no_capture();
        match self {
            Self::Free(session) => names.run(session, shape, values),
            Self::Bound(bound) => bound.run(values),
        }
    }
}

/// A session that nobody uses, or the first one as soon as it is free.
pub fn free(lanes: &[Mutex<Lane>]) -> Option<MutexGuard<'_, Lane>> {
    let free = lanes.iter().find_map(|lane| match lane.try_lock() {
        Ok(lane) => Some(lane),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    });
    free.or_else(|| lanes.first().map(|lane| lane.lock().unwrap_or_else(std::sync::PoisonError::into_inner)))
}

/// What goes into a model and what comes out.
pub struct Names {
    input: String,
    outputs: Vec<String>,
}

impl Names {
    /// Those of a model.
    pub fn of(file: &ModelFile) -> Self {
        let outputs = file.output_names().into_iter().map(str::to_owned).collect();
        Self { input: file.card.input.name.clone(), outputs }
    }

    /// Runs one batch in memory of ONNX Runtime's own.
    ///
    /// # Errors
    /// What ONNX Runtime said.
    pub fn run(&self, session: &mut Session, shape: &[usize], input: &Values<'_>) -> Result<Vec<Output>, String> {
        let text = |error: ort::Error| error.to_string();
        let name = self.input.as_str();
        let outputs = match input {
            Values::F32(parts) => {
                let values = whole(parts, shape);
                session.run(ort::inputs![name => TensorRef::from_array_view((shape, &*values)).map_err(text)?])
            }
            Values::U8(parts) => {
                let values = whole(parts, shape);
                session.run(ort::inputs![name => TensorRef::from_array_view((shape, &*values)).map_err(text)?])
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
