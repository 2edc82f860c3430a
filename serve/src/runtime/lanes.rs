//! The sessions of ONNX Runtime that run batches of one size beside each other, bound where that was asked for and helps.

use super::agreement::agree;
use super::bound::{Bound, Places};
use super::graph::{Graph, no_capture};
use super::race::race;
use super::values::whole;
use super::{Device, IoBinding, Output, Values};
use crate::Error;
use crate::model_file::ModelFile;
use ort::session::Session;
use ort::value::TensorRef;
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

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

    /// `count` sessions for batches of `batch`, bound in the way that won, and what was found, in words. One may be there already.
    ///
    /// # Errors
    /// Those of `open` for a session that is not bound: one that cannot be bound runs without.
    pub fn bound(&self, batch: usize, count: usize, first: Option<Session>) -> Result<(Vec<Lane>, String), Error> {
        let mut free = first.map_or_else(|| (self.open)(IoBinding::None), Ok).map(Lane::Free)?;
        let (winner, mut told) = self.contest(batch, &mut free);
        let Some((way, lane)) = winner else {
            let mut lanes = vec![free];
            lanes.extend(self.free(count - 1, None)?);
            return Ok((lanes, told));
        };
        let mut lanes = vec![lane];
        for _ in 1..count {
            lanes.push(match self.bind(way, batch, &mut free) {
                Ok(lane) => lane,
                Err(reason) => {
                    told.push_str(&format!(", one session not {way}: {reason}"));
                    (self.open)(IoBinding::None).map(Lane::Free)?
                }
            });
        }
        let _quiet = no_capture();
        drop(free);
        Ok((lanes, told))
    }

    /// Binds a session in each way and lets it race with one that is not bound. Gives the one that won, if there is one.
    fn contest(&self, batch: usize, free: &mut Lane) -> (Option<(IoBinding, Lane)>, String) {
        let shape = self.file.card.input.shape(batch);
        let zeros = Values::zeros(self.file.card.input.dtype);
        let run = |lane: &mut Lane| {
            let start = Instant::now();
            lane.run(self.names, &shape, &zeros).map(|_| start.elapsed())
        };
        let mut best: Option<(f64, IoBinding, Lane)> = None;
        let (mut without, mut told) = (None, Vec::new());
        for way in self.candidates {
            let raced = self.bind(*way, batch, free).and_then(|mut lane| Ok((race([free, &mut lane], run)?, lane)));
            let (times, lane) = match raced {
                Ok(raced) => raced,
                Err(reason) => {
                    told.push(format!("not {way}: {reason}"));
                    continue;
                }
            };
            without.get_or_insert(times[0]);
            told.push(format!("{} {way}", milliseconds(times[1])));
            let part = times[1].as_secs_f64() / times[0].as_secs_f64();
            let _quiet = no_capture();
            match &best {
                Some((least, ..)) if *least <= part => drop(lane),
                None if self.fastest && part >= 1.0 => drop(lane),
                _ => best = Some((part, *way, lane)),
            }
        }
        let without = without.map(|time| format!("{} without", milliseconds(time)));
        let told = without.into_iter().chain(told).collect::<Vec<_>>().join(", ");
        (best.map(|(_, way, lane)| (way, lane)), format!("batches of {batch} {told}"))
    }

    /// A session that is bound and gives the numbers of one that is not.
    fn bind(&self, way: IoBinding, batch: usize, free: &mut Lane) -> Result<Lane, String> {
        let session = (self.open)(way).map_err(|error| match error {
            Error::Load { reason, .. } => reason,
            other => other.to_string(),
        })?;
        let places = Places::new(way, self.device).map_err(|error| error.to_string())?;
        let bound = {
            let _quiet = no_capture();
            Bound::new(session, &places, self.file, batch).map_err(|error| error.to_string())?
        };
        let mut lane = match way {
            IoBinding::CudaGraphs => Lane::Graph(Graph::capture(bound)?),
            _ => Lane::Bound(Box::new(bound)),
        };
        let (input, shape) = (&self.file.card.input, self.file.card.input.shape(batch));
        let expected = |values: &Values<'_>| free.run(self.names, &shape, values);
        let found = |values: &Values<'_>| lane.run(self.names, &shape, values);
        agree(input.dtype, shape.iter().product(), expected, found)?;
        Ok(lane)
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

/// A session, and where what goes in and comes out lies.
pub enum Lane {
    /// Wherever ONNX Runtime puts it.
    Free(Session),
    /// Where it stays.
    Bound(Box<Bound>),
    /// Where it stays on the GPU, for a graph.
    Graph(Graph),
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
            Self::Bound(bound) => {
                bound.lay_down(shape, values)?;
                bound.run().map_err(|error| error.to_string())?;
                bound.outputs()
            }
            Self::Graph(graph) => graph.run(shape, values),
        }
    }

    /// Whether it runs batches of any size.
    pub fn is_free(&self) -> bool {
        matches!(self, Self::Free(_))
    }
}

/// A session that nobody uses, or the first one as soon as it is free.
pub fn idle(lanes: &[Mutex<Lane>]) -> Option<MutexGuard<'_, Lane>> {
    let idle = lanes.iter().find_map(|lane| match lane.try_lock() {
        Ok(lane) => Some(lane),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    });
    idle.or_else(|| lanes.first().map(|lane| lane.lock().unwrap_or_else(PoisonError::into_inner)))
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
                let values = whole(parts, shape)?;
                session.run(ort::inputs![name => TensorRef::from_array_view((shape, &*values)).map_err(text)?])
            }
            Values::U8(parts) => {
                let values = whole(parts, shape)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::pooling;
    use crate::runtime::library::locate;
    use crate::runtime::{Options, onnxruntime};
    use ort::memory::MemoryInfo;
    use std::io::Write;

    const SIDE: usize = 4;
    const BATCH: usize = 3;

    fn processor() -> Places {
        Places::new(IoBinding::Pinned, Device::Cpu).unwrap()
    }

    /// All ways to bind, in the memory that is here. A processor captures nothing.
    fn bound(file: &ModelFile, open: impl Fn() -> Session) -> [Lane; 3] {
        let places = |device_writes| Places { device: Some(MemoryInfo::default()), device_writes, ..processor() };
        let bind = |places: Places| Bound::new(open(), &places, file, BATCH).unwrap();
        [
            Lane::Bound(Box::new(bind(processor()))),
            Lane::Bound(Box::new(bind(places(false)))),
            Lane::Graph(Graph::capture(bind(places(true))).unwrap()),
        ]
    }

    #[test]
    fn tensors_that_stay_give_the_numbers_of_those_that_do_not() {
        if std::env::var_os("ORT_DYLIB_PATH").is_none_or(|path| path.is_empty()) {
            let text = b"SKIPPED: bound tensors need ONNX Runtime; set ORT_DYLIB_PATH to its shared library\n";
            std::io::stderr().write_all(text).unwrap();
            return;
        }
        let store = tempfile::tempdir().unwrap();
        let file = ModelFile::open(&pooling::write(store.path(), SIDE).unwrap()).unwrap();
        let environment = onnxruntime::environment(&locate(&Options::default()).unwrap()).unwrap();
        let open = || {
            let builder = onnxruntime::build(&environment, Device::Cpu, 1, IoBinding::None);
            builder.unwrap().commit_from_file(&file.path).unwrap()
        };
        let (names, shape, mut free) = (Names::of(&file), file.card.input.shape(BATCH), open());
        let item = |start: usize| -> Vec<f32> { (0..3 * SIDE * SIDE).map(|index| (index * start) as f32).collect() };
        let items: Vec<Vec<f32>> = (1..=BATCH).map(item).collect();
        for mut lane in bound(&file, open) {
            // The last row of a batch that is not full must not be that of the batch before.
            for count in [3, 1, 0, 2, 3] {
                let values = Values::F32(items[..count].iter().map(Vec::as_slice).collect());
                let expected = names.run(&mut free, &shape, &values).unwrap();
                assert_eq!(lane.run(&names, &shape, &values).unwrap(), expected, "{count} items");
            }
            let too_many = Values::F32(vec![&items[0]; BATCH + 1]);
            assert!(lane.run(&names, &shape, &too_many).unwrap_err().contains("only 0 go into the batch"));
            let of_two = file.card.input.shape(2);
            assert!(lane.run(&names, &of_two, &Values::F32(Vec::new())).unwrap_err().contains("a batch of [2, "));
            assert!(lane.run(&names, &shape, &Values::U8(vec![&[1]])).is_err());
            let whole = Values::F32(vec![&items[0]]);
            assert!(lane.run(&names, &shape, &whole).is_ok(), "an error is no end");
        }
    }

    #[test]
    fn a_model_whose_outputs_are_others_than_its_card_says_cannot_be_bound() {
        if std::env::var_os("ORT_DYLIB_PATH").is_none_or(|path| path.is_empty()) {
            return;
        }
        let store = tempfile::tempdir().unwrap();
        let file = ModelFile::open(&pooling::write(store.path(), SIDE).unwrap()).unwrap();
        let environment = onnxruntime::environment(&locate(&Options::default()).unwrap()).unwrap();
        let open = |_| {
            let builder = onnxruntime::build(&environment, Device::Cpu, 1, IoBinding::None);
            Ok(builder.unwrap().commit_from_file(&file.path).unwrap())
        };
        let names = Names::of(&file);
        let mut wrong = file.clone();
        wrong.card.outputs.embedding.as_mut().unwrap().width += 1;
        let candidates = &[IoBinding::Pinned];
        let maker = Maker { file: &wrong, device: Device::Cpu, names: &names, candidates, fastest: false, open };
        let (lanes, told) = maker.bound(BATCH, 2, None).unwrap();
        assert!(lanes.len() == 2 && lanes.iter().all(Lane::is_free), "{told}");
        assert!(told.contains("batches of 3 not pinned: "), "{told}");
    }
}
