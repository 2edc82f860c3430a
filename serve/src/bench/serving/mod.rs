//! Images to vectors over HTTP, side by side in one run: the limit of the machine, our server, and Python servers.
//!
//! Every server gets the same ONNX file and the same JPEG files, and every answer is compared with the vector that the model
//! gives in this process. They are measured in turn: first each finds the number of connections that suits it, then rounds of a
//! closed loop at that number give what it can do, then an open loop at parts of that gives the time of a request.

mod contestant;
mod report;

pub use report::{Ideal, Image, Limit, Report, Saturation, Server, Skipped, Step};

use super::limit::{Order, Way};
use super::load::{self, Target};
use super::overhead::Overhead;
use super::peer::{PEERS, Running, Subject};
use super::selfie::{self, Selfie, floats};
use super::{Hardware, Summary, arrivals, ideal, latency, limit, overhead, photograph, pooling};
use crate::config::threads;
use crate::model::{OpenOptions, open};
use crate::runtime::{self, Choice};
use crate::{Error, Model};
use contestant::Contestant;
use report::USUAL_LOAD;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

/// Different images, so that no answer can be had from the one before.
const PHOTOGRAPHS: u64 = 24;
/// Loads of the open loop, in parts of what a server does at most.
const LOADS: [f64; 7] = [0.2, 0.35, 0.5, 0.65, USUAL_LOAD, 0.9, 0.95];
/// What is tried before it is measured gets this part of the time.
const TRIAL: f64 = 0.2;
/// Our server computes as the limit does; batches of another size may round otherwise.
const LEAST_COSINE: f64 = 0.9999;
/// Name of ours in tables.
pub const OURS: &str = "selfie";
/// Name of the model in the store of our server.
const SUBJECT: &str = "subject";

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program whose `serve` is our server.
    pub program: PathBuf,
    /// The model.
    pub model: PathBuf,
    /// Runtime and device.
    pub runtime: runtime::Options,
    /// Largest batch of every server.
    pub max_batch_size: usize,
    /// Length of each measurement.
    pub duration: Duration,
    /// Rounds of the closed loop.
    pub rounds: usize,
    /// A Python that has the packages of the peers.
    pub python: Option<PathBuf>,
    /// Width and height of the images.
    pub image: (u32, u32),
    /// Images of a request where ours gets more than one.
    pub images_per_request: usize,
}

/// Measures. `progress` hears how many measurements are done, of how many.
///
/// # Errors
/// The model cannot be used, or our server does not come up or answers wrong. A peer that does is left out, with its reason.
pub fn run(options: &Options, mut progress: impl FnMut(usize, usize)) -> Result<Report, Error> {
    let model = open_with(&options.model, options)?;
    let (width, height) = options.image;
    let photographs = photograph::photographs(PHOTOGRAPHS, width, height)?;
    let subject = Subject {
        model: &model,
        threads: threads(options.runtime.threads),
        max_batch_size: options.max_batch_size,
        expected: &vectors(&model, &photographs)?,
        photographs: &photographs,
    };
    let (mut contestants, overhead) = ours(&subject, options)?;
    let (peers, mut skipped) = peers(&subject, options.python.as_deref());
    contestants.extend(peers);

    let ways = limit::ways(&model, options.max_batch_size);
    let trials = ways.len() + contestants.iter().map(|contestant| contestant.trials().len()).sum::<usize>();
    let all = trials + options.rounds * (1 + contestants.len()) + (LOADS.len() + 1) * contestants.len();
    let mut done = 0;
    let mut step = || {
        done += 1;
        progress(done, all);
    };
    let trial = options.duration.mul_f64(TRIAL);
    let way = fastest(&ways, |way| {
        step();
        way.run(&model, &photographs, trial)
    })?;
    let mut servers = Vec::with_capacity(contestants.len());
    for mut contestant in contestants {
        match contestant.settle(trial, &mut step) {
            Ok(()) => servers.push(contestant),
            Err(error) if contestant.name == OURS => return Err(error),
            Err(error) => skipped.push(Skipped { name: contestant.name, reason: error.to_string() }),
        }
    }
    let mut rounds = Vec::with_capacity(options.rounds);
    for _ in 0..options.rounds {
        rounds.push(way.run(&model, &photographs, options.duration)?);
        step();
        for server in &mut servers {
            server.saturate(options.duration);
            step();
        }
    }
    for (seed, load) in LOADS.into_iter().enumerate() {
        for server in &mut servers {
            server.open(load, options.duration, seed as u64);
            step();
        }
    }
    for server in &mut servers {
        server.open_evenly(USUAL_LOAD, options.duration);
        step();
    }
    let per_second = latency::median(&rounds);
    let open = LOADS.into_iter().zip(0..).map(|(load, seed)| {
        ideal(way, per_second, load, &arrivals::poisson(load * per_second, options.duration, seed))
    });
    let open = open.collect();
    let even = ideal(way, per_second, USUAL_LOAD, &arrivals::even(USUAL_LOAD * per_second, options.duration));
    let limit = Limit { way, per_second, rounds, open, even };
    let mean_bytes = photographs.iter().map(Vec::len).sum::<usize>() / photographs.len();
    Ok(Report {
        model: model.card().name.clone(),
        runtime: model.choice.runtime,
        device: model.choice.device.to_string(),
        hardware: Hardware::of_this_machine(),
        processors: threads(0),
        image: Image { width, height, mean_bytes },
        seconds: options.duration.as_secs_f64(),
        max_batch_size: options.max_batch_size,
        servers: servers.into_iter().map(|server| server.report(limit.per_second)).collect(),
        limit,
        overhead,
        skipped,
    })
}

/// Starts our server, which is asked for one image at a time and for several at once, and finds what a request costs it.
fn ours(subject: &Subject<'_>, options: &Options) -> Result<(Vec<Contestant>, Overhead), Error> {
    let store = tempfile::tempdir().map_err(|error| Error::bench("the model store", error.to_string()))?;
    selfie::place(&subject.model.file.path, store.path(), SUBJECT)?;
    let trivial = open_with(&pooling::write(store.path(), overhead::SIDE)?, options)?;
    let Choice { runtime, device, .. } = &subject.model.choice;
    let runtime = runtime::Options { runtime: (*runtime).to_owned(), device: *device, ..options.runtime.clone() };
    let batch = options.max_batch_size.to_string();
    let flags = [("--max-batch-size", OsStr::new(&batch))];
    let server = Selfie::start(&options.program, store.path(), &runtime, &flags)?;
    let overhead = overhead::measure(&server, &trivial, options.duration)?;
    let target = |images| (images, target(&server, subject, images));
    let several = Some(options.images_per_request).filter(|images| *images > 1);
    let targets: Vec<_> = [1].into_iter().chain(several).map(target).collect();
    let process = Rc::new(server.process);
    let contestant =
        |(images, target)| Contestant::new(OURS, env!("CARGO_PKG_VERSION").into(), images, target, Rc::clone(&process));
    Ok((targets.into_iter().map(contestant).collect(), overhead))
}

/// Requests of so many images each for our server, so many of them that every photograph is in one.
fn target(server: &Selfie, subject: &Subject<'_>, images: usize) -> Target {
    let photographs = subject.photographs.iter().zip(subject.expected).cycle();
    let (mut requests, mut expected) = (Vec::new(), Vec::new());
    for request in 0..subject.photographs.len().div_ceil(images) {
        let of_it = photographs.clone().skip(request * images).take(images);
        let (jpegs, vectors): (Vec<&[u8]>, Vec<&[f32]>) = of_it.map(|(jpeg, vector)| (&jpeg[..], &vector[..])).unzip();
        requests.push(match jpegs[..] {
            [jpeg] => server.request(SUBJECT, jpeg),
            _ => server.form_request(SUBJECT, &jpegs),
        });
        expected.push(vectors.concat());
    }
    Target { address: server.address, requests, check: load::vectors(floats, expected, images, LEAST_COSINE) }
}

/// Starts the peers that a Python has.
fn peers(subject: &Subject<'_>, python: Option<&Path>) -> (Vec<Contestant>, Vec<Skipped>) {
    let (mut contestants, mut skipped) = (Vec::new(), Vec::new());
    for peer in PEERS {
        let started = match python {
            Some(python) => peer.start(python, subject).map_err(|error| error.to_string()),
            None => Err("no Python was named".into()),
        };
        match started {
            Ok(Running { version, process, target }) => {
                contestants.push(Contestant::new(peer.name, version, 1, target, Rc::new(process)));
            }
            Err(reason) => skipped.push(Skipped { name: peer.name, reason }),
        }
    }
    (contestants, skipped)
}

/// What a server without any cost of its own would do: each image has a processor for itself, or all of them one after the other,
/// as the limit has.
fn ideal(way: Way, per_second: f64, load: f64, arrivals: &[Duration]) -> Ideal {
    let processors = if way.order == Order::Beside { threads(0) } else { 1 };
    let latency = Summary::of(&ideal::times(arrivals, processors, processors as f64 / per_second));
    Ideal { load, offered_per_second: load * per_second, latency }
}

/// The way that does most images a second.
fn fastest(ways: &[Way], mut run: impl FnMut(Way) -> Result<f64, Error>) -> Result<Way, Error> {
    let mut best = (Way { batch_size: 1, order: Order::Alternating }, 0.0);
    for &way in ways {
        let per_second = run(way)?;
        if per_second > best.1 {
            best = (way, per_second);
        }
    }
    Ok(best.0)
}

fn open_with(path: &Path, options: &Options) -> Result<Model, Error> {
    open(path, &OpenOptions { runtime: options.runtime.clone(), ..OpenOptions::default() })
}

/// The vector of each photograph.
fn vectors(model: &Model, photographs: &[Vec<u8>]) -> Result<Vec<Vec<f32>>, Error> {
    let rows = model.infer(photographs)?;
    let vector = |row| model.embedding(row).map(<[f32]>::to_vec);
    rows.iter().map(vector).collect::<Option<_>>().ok_or_else(|| {
        let name = &model.card().name;
        Error::bench(name, "it gives no embedding, which is what the servers are asked for; name a model that does")
    })
}
