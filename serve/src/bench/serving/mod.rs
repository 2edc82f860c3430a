//! Images to vectors over HTTP, side by side in one run: the limit of the machine, our server, and Python servers.
//!
//! Every server gets the same ONNX file and the same JPEG files, and every answer is compared with the vector that the model
//! gives in this process. They are measured in turn: first each finds the number of connections that suits it, then rounds of a
//! closed loop at that number give what it can do, then an open loop at parts of that gives the time of a request.

mod contestant;
mod report;

pub use report::{Image, Limit, Report, Saturation, Server, Skipped, Step};

use super::load::{self, Target};
use super::peer::{PEERS, Subject};
use super::selfie::{self, Selfie, floats};
use super::{latency, limit, overhead, photograph, pooling};
use crate::config::threads;
use crate::model::{OpenOptions, open};
use crate::runtime;
use crate::{Error, Model};
use contestant::{CONNECTIONS, Contestant};
use report::USUAL_LOAD;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
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
}

/// Measures. `progress` hears how many measurements are done, of how many.
///
/// # Errors
/// The model cannot be used, or our server does not come up or answers wrong. A peer that does is left out, with its reason.
pub fn run(options: &Options, mut progress: impl FnMut(usize, usize)) -> Result<Report, Error> {
    let model = open_with(&options.model, options)?;
    let (width, height) = options.image;
    let photographs = photograph::photographs(PHOTOGRAPHS, width, height)?;
    let expected = vectors(&model, &photographs)?;
    let failed = |error: std::io::Error| Error::bench("the model store", error.to_string());
    let store = tempfile::tempdir().map_err(failed)?;
    selfie::place(&model.file.path, store.path(), SUBJECT)?;
    let trivial = open_with(&pooling::write(store.path(), overhead::SIDE)?, options)?;
    let batch = options.max_batch_size.to_string();
    let runtime = runtime::Options {
        runtime: model.choice.runtime.into(),
        device: model.choice.device,
        ..options.runtime.clone()
    };
    let server = Selfie::start(&options.program, store.path(), &runtime, &[("--max-batch-size", OsStr::new(&batch))])?;

    let mut skipped = Vec::new();
    let mut contestants = Vec::new();
    let subject = options.python.as_ref().map(|python| Subject {
        python,
        model: &model,
        threads: threads(options.runtime.threads),
        max_batch_size: options.max_batch_size,
        photographs: &photographs,
        expected: &expected,
    });
    let requests = photographs.iter().map(|jpeg| server.request(SUBJECT, jpeg)).collect();
    let check = load::vectors(floats, &expected, LEAST_COSINE);
    let target = Target { address: server.address, requests, check };
    let overhead = overhead::measure(&server, &trivial, options.duration)?;
    contestants.push(Contestant::new(OURS, env!("CARGO_PKG_VERSION").into(), target, server.process));
    for peer in PEERS {
        match subject.as_ref().map(|subject| peer.start(subject)) {
            Some(Ok(running)) => {
                contestants.push(Contestant::new(peer.name, running.version, running.target, running.process));
            }
            Some(Err(error)) => skipped.push(Skipped { name: peer.name, reason: error.to_string() }),
            None => skipped.push(Skipped { name: peer.name, reason: "no Python was named".into() }),
        }
    }

    let ways = limit::ways(&model, options.max_batch_size);
    let trials = ways.len() + contestants.len() * CONNECTIONS.len();
    let all = trials + options.rounds * (1 + contestants.len()) + LOADS.len() * contestants.len();
    let mut done = 0;
    let mut step = || {
        done += 1;
        progress(done, all);
    };
    let trial = options.duration.mul_f64(TRIAL);
    let mut best = (ways[0], 0.0);
    for way in ways {
        let per_second = way.run(&model, &photographs, trial)?;
        if per_second > best.1 {
            best = (way, per_second);
        }
        step();
    }
    let mut settled = Vec::with_capacity(contestants.len());
    for mut contestant in contestants {
        match contestant.settle(trial, &mut step) {
            Ok(()) => settled.push(contestant),
            Err(error) if contestant.name == OURS => return Err(error),
            Err(error) => skipped.push(Skipped { name: contestant.name, reason: error.to_string() }),
        }
    }
    let mut contestants = settled;
    let mut limits = Vec::new();
    for _ in 0..options.rounds {
        limits.push(best.0.run(&model, &photographs, options.duration)?);
        step();
        for contestant in &mut contestants {
            contestant.saturate(options.duration);
            step();
        }
    }
    for (index, load) in LOADS.into_iter().enumerate() {
        for contestant in &mut contestants {
            contestant.open(load, options.duration, index as u64);
            step();
        }
    }
    let per_second = latency::median(&limits);
    Ok(Report {
        model: model.card().name.clone(),
        runtime: model.choice.runtime,
        device: model.choice.device.to_string(),
        processors: threads(0),
        image: Image { width, height, mean_bytes: photographs.iter().map(Vec::len).sum::<usize>() / photographs.len() },
        seconds: options.duration.as_secs_f64(),
        max_batch_size: options.max_batch_size,
        limit: Limit { way: best.0, per_second, rounds: limits },
        overhead,
        servers: contestants.into_iter().map(|contestant| contestant.report(per_second)).collect(),
        skipped,
    })
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
