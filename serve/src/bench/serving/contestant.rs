//! A server under measurement.

use super::super::load::{self, Stretch, Target};
use super::super::process::Process;
use super::super::{Summary, arrivals, latency};
use super::{Saturation, Server, Step};
use crate::config::threads;
use crate::{Error, usage};
use std::rc::Rc;
use std::time::Duration;

/// Numbers of images under way at once that are tried; the one with which most are served is taken.
const UNDER_WAY: [usize; 5] = [8, 16, 32, 64, MOST_UNDER_WAY];
/// More than that at once are no part of any load here.
const MOST_UNDER_WAY: usize = 128;

/// Something that answers.
pub struct Contestant {
    /// Its name.
    pub name: &'static str,
    version: String,
    images_per_request: usize,
    target: Target,
    process: Rc<Process>,
    connections: usize,
    closed: Vec<Stretch>,
    cpu_shares: Vec<f64>,
    steps: Vec<Step>,
    even: Option<Step>,
}

impl Contestant {
    /// One that has not been measured yet.
    pub fn new(
        name: &'static str,
        version: String,
        images_per_request: usize,
        target: Target,
        process: Rc<Process>,
    ) -> Self {
        let (closed, cpu_shares, steps) = (Vec::new(), Vec::new(), Vec::new());
        Self {
            name,
            version,
            images_per_request,
            target,
            process,
            connections: 0,
            closed,
            cpu_shares,
            steps,
            even: None,
        }
    }

    /// Numbers of connections that are tried.
    pub fn trials(&self) -> Vec<usize> {
        let mut trials = UNDER_WAY.map(|images| self.connections_for(images)).to_vec();
        trials.dedup();
        trials
    }

    /// Connections that have so many images under way.
    fn connections_for(&self, images: usize) -> usize {
        (images / self.images_per_request).max(1)
    }

    /// Finds the number of connections that suits it. `step` hears of every number that was tried.
    ///
    /// # Errors
    /// [`Error::Bench`] when it answers nothing.
    pub fn settle(&mut self, trial: Duration, step: &mut impl FnMut()) -> Result<(), Error> {
        let mut most = 0.0;
        for connections in self.trials() {
            let stretch = load::closed(&self.target, connections, trial);
            if let (true, Some(reason)) = (stretch.times.is_empty(), stretch.failure.clone()) {
                return Err(Error::bench(self.name, reason));
            }
            if stretch.per_second() > most {
                (most, self.connections) = (stretch.per_second(), connections);
            }
            step();
        }
        Ok(())
    }

    /// A round of the closed loop.
    pub fn saturate(&mut self, duration: Duration) {
        let before = usage::cpu_seconds(self.process.id());
        let stretch = load::closed(&self.target, self.connections, duration);
        let after = usage::cpu_seconds(self.process.id());
        let whole = stretch.elapsed * threads(0) as f64;
        self.cpu_shares.extend(after.zip(before).map(|(after, before)| (after - before) / whole));
        self.closed.push(stretch);
    }

    /// The open loop at a part of what it does at most, at random times.
    pub fn open(&mut self, load: f64, duration: Duration, seed: u64) {
        self.steps.push(self.step(load, |offered| arrivals::poisson(offered, duration, seed)));
    }

    /// As [`Contestant::open`], at even times.
    pub fn open_evenly(&mut self, load: f64, duration: Duration) {
        self.even = Some(self.step(load, |offered| arrivals::even(offered, duration)));
    }

    fn step(&self, load: f64, arrivals: impl FnOnce(f64) -> Vec<Duration>) -> Step {
        let offered = load * self.per_second();
        let images = self.images_per_request as f64;
        let stretch = load::open(&self.target, self.connections_for(MOST_UNDER_WAY), &arrivals(offered / images));
        Step {
            load,
            offered_per_second: offered,
            per_second: stretch.per_second() * images,
            latency: Summary::of(&stretch.times),
            sent_late_ms: latency::median(&stretch.late) * 1e3,
            failures: stretch.failures,
            failure: stretch.failure,
            generator_share: stretch.generator_share,
        }
    }

    /// Images a second in each round.
    fn rounds(&self) -> Vec<f64> {
        self.closed.iter().map(|stretch| stretch.per_second() * self.images_per_request as f64).collect()
    }

    /// What it does at most: the median of the rounds.
    fn per_second(&self) -> f64 {
        latency::median(&self.rounds())
    }

    /// What was found.
    pub fn report(self, limit: f64) -> Server {
        let per_second = self.per_second();
        let times: Vec<f64> = self.closed.iter().flat_map(|stretch| stretch.times.iter().copied()).collect();
        let shares: Vec<f64> = self.closed.iter().filter_map(|stretch| stretch.generator_share).collect();
        let share = |shares: &[f64]| (!shares.is_empty()).then(|| latency::median(shares));
        Server {
            name: self.name,
            images_per_request: self.images_per_request,
            connections: self.connections,
            saturation: Saturation {
                per_second,
                of_limit: per_second / limit,
                latency: Summary::of(&times),
                rounds: self.rounds(),
                failures: self.closed.iter().map(|stretch| stretch.failures).sum(),
                failure: self.closed.iter().find_map(|stretch| stretch.failure.clone()),
                generator_share: share(&shares),
                server_share: share(&self.cpu_shares),
            },
            open: self.steps,
            even: self.even,
            version: self.version,
        }
    }
}
