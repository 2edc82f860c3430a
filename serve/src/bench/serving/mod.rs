//! Images to vectors over HTTP, side by side in one run: the limit of the machine, our server, and Python servers.
//!
//! Every server gets the same ONNX file and the same JPEG files, and every answer is compared with the vector that the model
//! gives in this process. They are measured in turn: first each finds the number of connections that suits it, then rounds of a
//! closed loop at that number give what it can do, then an open loop at parts of that gives the time of a request.

mod report;

pub use report::{Limit, Report, Saturation, Server, Skipped, Step};

use super::load::{self, Stretch, Target};
use super::peer::{PEERS, Subject};
use super::process::Process;
use super::selfie::{self, Selfie, floats};
use super::{Summary, arrivals, latency, limit, overhead, photograph, pooling, usage};
use crate::config::threads;
use crate::model::{OpenOptions, open};
use crate::runtime;
use crate::{Error, Model};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Different images, so that no answer can be had from the one before.
const PHOTOGRAPHS: u64 = 24;
/// Numbers of connections that are tried; of those that serve nearly alike the smallest is taken.
const CONNECTIONS: [usize; 5] = [8, 16, 32, 64, 128];
const NEARLY: f64 = 0.98;
/// Connections of the open loop: more requests than that at once are no part of any load here.
const OPEN_CONNECTIONS: usize = 128;
/// Loads of the open loop, in parts of what a server does at most.
pub const LOADS: [f64; 7] = [0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95];
/// What is tried for a while before it is measured gets this part of the time.
const TRIAL: f64 = 0.2;
/// Our server computes as the limit does; batches of another size may round otherwise.
const LEAST_COSINE: f64 = 0.9999;
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

/// Something that answers.
struct Contestant {
    name: &'static str,
    version: String,
    target: Target,
    process: Process,
    connections: usize,
    closed: Vec<Stretch>,
    cpu_shares: Vec<f64>,
    steps: Vec<Step>,
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
    contestants.push(Contestant::new("selfie", env!("CARGO_PKG_VERSION").into(), target, server.process));
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
    for contestant in &mut contestants {
        contestant.settle(trial, &mut step)?;
    }
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
        image: report::Image {
            width,
            height,
            mean_bytes: photographs.iter().map(Vec::len).sum::<usize>() / photographs.len(),
        },
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

impl Contestant {
    fn new(name: &'static str, version: String, target: Target, process: Process) -> Self {
        let (closed, cpu_shares, steps) = (Vec::new(), Vec::new(), Vec::new());
        Self { name, version, target, process, connections: 0, closed, cpu_shares, steps }
    }

    /// Finds the number of connections that suits it.
    fn settle(&mut self, trial: Duration, step: &mut impl FnMut()) -> Result<(), Error> {
        let mut found = Vec::with_capacity(CONNECTIONS.len());
        for connections in CONNECTIONS {
            let stretch = load::closed(&self.target, connections, trial);
            if let (true, Some(reason)) = (stretch.times.is_empty(), stretch.failure.clone()) {
                return Err(Error::bench(self.name, reason));
            }
            found.push((connections, stretch.per_second()));
            step();
        }
        let most = found.iter().map(|(_, per_second)| *per_second).fold(0.0, f64::max);
        let enough = found.iter().find(|(_, per_second)| *per_second >= NEARLY * most);
        self.connections = enough.map_or(CONNECTIONS[0], |(connections, _)| *connections);
        Ok(())
    }

    fn saturate(&mut self, duration: Duration) {
        let before = usage::cpu_seconds(self.process.id());
        let stretch = load::closed(&self.target, self.connections, duration);
        let after = usage::cpu_seconds(self.process.id());
        let whole = stretch.elapsed * threads(0) as f64;
        self.cpu_shares.extend(after.zip(before).map(|(after, before)| (after - before) / whole));
        self.closed.push(stretch);
    }

    fn open(&mut self, load: f64, duration: Duration, seed: u64) {
        let offered = load * self.per_second();
        let arrivals = arrivals::poisson(offered, duration, seed);
        let stretch = load::open(&self.target, OPEN_CONNECTIONS, &arrivals);
        self.steps.push(Step {
            load,
            offered_per_second: offered,
            per_second: stretch.per_second(),
            latency: Summary::of(&stretch.times),
            sent_late_ms: latency::median(&stretch.late) * 1e3,
            failures: stretch.failures,
            failure: stretch.failure,
            generator_share: stretch.generator_share,
        });
    }

    /// What it does at most: the median of the rounds.
    fn per_second(&self) -> f64 {
        latency::median(&self.closed.iter().map(Stretch::per_second).collect::<Vec<_>>())
    }

    fn report(self, limit: f64) -> Server {
        let per_second = self.per_second();
        let times: Vec<f64> = self.closed.iter().flat_map(|stretch| stretch.times.iter().copied()).collect();
        let shares: Vec<f64> = self.closed.iter().filter_map(|stretch| stretch.generator_share).collect();
        let share = |shares: &[f64]| (!shares.is_empty()).then(|| latency::median(shares));
        Server {
            name: self.name,
            version: self.version,
            connections: self.connections,
            saturation: Saturation {
                per_second,
                of_limit: per_second / limit,
                latency: Summary::of(&times),
                rounds: self.closed.iter().map(Stretch::per_second).collect(),
                failures: self.closed.iter().map(|stretch| stretch.failures).sum(),
                failure: self.closed.iter().find_map(|stretch| stretch.failure.clone()),
                generator_share: share(&shares),
                server_share: share(&self.cpu_shares),
            },
            open: self.steps,
        }
    }
}
