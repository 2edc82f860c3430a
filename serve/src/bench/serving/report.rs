//! What a run found, as its JSON file keeps it.

use super::super::limit::Way;
use super::super::overhead::Overhead;
use super::super::{Hardware, Summary, plot};
use crate::Error;
use serde::Serialize;

/// The load at which requests are usually served: busy, but not full.
pub const USUAL_LOAD: f64 = 0.8;

/// What a run found.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Name of the model.
    pub model: String,
    /// The runtime of ours and of the limit.
    pub runtime: &'static str,
    /// The device of all.
    pub device: String,
    /// The machine of all.
    pub hardware: Hardware,
    /// Processors that this process may use.
    pub processors: usize,
    /// The images.
    pub image: Image,
    /// Length of each measurement in seconds.
    pub seconds: f64,
    /// Largest batch of every server.
    pub max_batch_size: usize,
    /// What the machine could do at most.
    pub limit: Limit,
    /// What a request costs beyond its work.
    pub overhead: Overhead,
    /// Who was measured, ours first.
    pub servers: Vec<Server>,
    /// Who was not.
    pub skipped: Vec<Skipped>,
}

/// The images that were sent.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Image {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bytes of a JPEG on average.
    pub mean_bytes: usize,
}

/// What the machine could do at most.
#[derive(Clone, Debug, Serialize)]
pub struct Limit {
    /// The way that was fastest.
    pub way: Way,
    /// Images a second: the median of the rounds.
    pub per_second: f64,
    /// Images a second, round by round.
    pub rounds: Vec<f64>,
    /// What a server would do at a load that costs nothing itself.
    pub open: Vec<Ideal>,
    /// The same where requests come evenly, at the usual load.
    pub even: Ideal,
}

/// The times of requests that only wait for a processor.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ideal {
    /// The load as a part of the limit.
    pub load: f64,
    /// Requests a second that were due on average.
    pub offered_per_second: f64,
    /// Times of the requests, from when they were due.
    pub latency: Summary,
}

/// One server.
#[derive(Clone, Debug, Serialize)]
pub struct Server {
    /// Its name.
    pub name: &'static str,
    /// Its version, and those of what it runs on.
    pub version: String,
    /// Images that it gets at once.
    pub images_per_request: usize,
    /// Connections that suit it best.
    pub connections: usize,
    /// The closed loop.
    pub saturation: Saturation,
    /// The open loop, by load.
    pub open: Vec<Step>,
    /// The open loop at the usual load where requests come evenly.
    pub even: Option<Step>,
}

/// What a server does at most.
#[derive(Clone, Debug, Serialize)]
pub struct Saturation {
    /// Images a second: the median of the rounds.
    pub per_second: f64,
    /// That, as a part of the limit.
    pub of_limit: f64,
    /// Times of the requests of all rounds.
    pub latency: Summary,
    /// Images a second, round by round.
    pub rounds: Vec<f64>,
    /// Requests without a right answer.
    pub failures: usize,
    /// The first of them.
    pub failure: Option<String>,
    /// Part of all processors that the load took.
    pub generator_share: Option<f64>,
    /// Part of all processors that the process of the server took, without its children.
    pub server_share: Option<f64>,
}

/// A server at a load.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// The load as a part of what the server does at most.
    pub load: f64,
    /// Images a second that were due on average.
    pub offered_per_second: f64,
    /// Images a second that were answered.
    pub per_second: f64,
    /// Times of the requests, from when they were due.
    pub latency: Summary,
    /// How long after it was due a request was sent, in the middle. It is part of the latency.
    pub sent_late_ms: f64,
    /// Requests without a right answer.
    pub failures: usize,
    /// The first of them.
    pub failure: Option<String>,
    /// Part of all processors that the load took.
    pub generator_share: Option<f64>,
}

/// A server that was not measured.
#[derive(Clone, Debug, Serialize)]
pub struct Skipped {
    /// Its name.
    pub name: &'static str,
    /// Why.
    pub reason: String,
}

impl Report {
    /// Latency against throughput.
    ///
    /// # Errors
    /// [`Error::Bench`] when it cannot be drawn.
    pub fn svg(&self) -> Result<String, Error> {
        plot::svg(self)
    }

    /// Requests without a right answer, of all servers.
    pub fn failures(&self) -> usize {
        self.servers.iter().map(Server::failures).sum()
    }
}

impl Limit {
    /// The times at the load at which requests are usually served.
    pub fn usual(&self) -> Option<&Ideal> {
        self.open.iter().find(|ideal| ideal.load == USUAL_LOAD)
    }
}

impl Server {
    /// Its name in tables, with how many images it gets at once.
    pub fn label(&self) -> String {
        match self.images_per_request {
            1 => self.name.into(),
            images => format!("{}, {images} a request", self.name),
        }
    }

    /// The step at the load at which requests are usually served.
    pub fn usual(&self) -> Option<&Step> {
        self.open.iter().find(|step| step.load == USUAL_LOAD)
    }

    /// Requests without a right answer.
    pub fn failures(&self) -> usize {
        self.saturation.failures + self.steps().map(|step| step.failures).sum::<usize>()
    }

    /// What the first of them was.
    pub fn failure(&self) -> Option<&str> {
        self.saturation.failure.as_deref().or_else(|| self.steps().find_map(|step| step.failure.as_deref()))
    }

    /// Every step of the open loop.
    fn steps(&self) -> impl Iterator<Item = &Step> {
        self.open.iter().chain(&self.even)
    }
}
