//! Load: connections that send requests and check every answer.
//!
//! In a closed loop every connection sends its next request when the answer is there, which finds the most that a server can
//! do. In an open loop requests are due at given times, whatever the server does; the time of a request counts from when it was
//! due, also when no connection was free to send it then. So a server that stalls is charged for all who would have waited.

use super::connection::Connection;
use crate::config::threads;
use crate::usage;
use std::net::SocketAddr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A connection whose requests fail so often asks no more.
const MAX_FAILURES: usize = 20;
/// Servers close connections on which nothing comes, uvicorn and actix after 5 s; one that waited so long for a request is replaced
/// before it.
const IDLE: Duration = Duration::from_secs(2);

/// Looks at the body of the answer to a request.
pub type Check = Box<dyn Fn(usize, &[u8]) -> Result<(), String> + Send + Sync>;

/// What is asked, and what must come back.
pub struct Target {
    /// Where the server is.
    pub address: SocketAddr,
    /// Whole requests, sent one after the other and then again.
    pub requests: Vec<Vec<u8>>,
    /// Says what is wrong with an answer.
    pub check: Check,
}

/// What a stretch of load found.
#[derive(Debug, Default)]
pub struct Stretch {
    /// Time of each request that was answered right, in seconds.
    pub times: Vec<f64>,
    /// How long after it was due a request was sent that had a free connection waiting for it, in seconds.
    pub late: Vec<f64>,
    /// Requests without a right answer, the first of them in words.
    pub failures: usize,
    /// What the first of them was.
    pub failure: Option<String>,
    /// How long the stretch took, in seconds.
    pub elapsed: f64,
    /// Part of all processors that this process took for making the load.
    pub generator_share: Option<f64>,
}

impl Target {
    /// Asks once.
    ///
    /// # Errors
    /// What is wrong with the answer.
    pub fn ask(&self, connection: &mut Connection, index: usize) -> Result<Instant, String> {
        let index = index % self.requests.len();
        let body = connection.ask(&self.requests[index])?;
        let answered = Instant::now();
        (self.check)(index, body)?;
        Ok(answered)
    }
}

impl Stretch {
    /// Right answers a second.
    pub fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.elapsed
    }

    fn add(&mut self, other: Self) {
        self.times.extend(other.times);
        self.late.extend(other.late);
        self.failures += other.failures;
        self.failure = self.failure.take().or(other.failure);
        self.elapsed = self.elapsed.max(other.elapsed);
    }

    fn fail(&mut self, reason: String) {
        self.failures += 1;
        self.failure.get_or_insert(reason);
    }
}

/// `connections` ask one request after the other for a while; what is under way at the end is finished and counts. However short
/// the while is, one request is sent.
pub fn closed(target: &Target, connections: usize, duration: Duration) -> Stretch {
    let asked = AtomicUsize::new(0);
    run(target, connections, |start| {
        let (now, index) = (Instant::now(), asked.fetch_add(1, Ordering::Relaxed));
        (index == 0 || now < start + duration).then_some(Due { at: now, index, late: None })
    })
}

/// Requests are due at `arrivals` after the start.
pub fn open(target: &Target, connections: usize, arrivals: &[Duration]) -> Stretch {
    let sent = AtomicUsize::new(0);
    run(target, connections, |start| {
        let index = sent.fetch_add(1, Ordering::Relaxed);
        let at = start + *arrivals.get(index)?;
        let wait = at.saturating_duration_since(Instant::now());
        thread::sleep(wait);
        Some(Due { at, index, late: (!wait.is_zero()).then(|| at.elapsed()) })
    })
}

/// One request.
struct Due {
    at: Instant,
    index: usize,
    late: Option<Duration>,
}

/// Runs a thread for each connection until `next` gives nothing.
fn run(target: &Target, connections: usize, next: impl Fn(Instant) -> Option<Due> + Sync) -> Stretch {
    let own = || usage::cpu_seconds(std::process::id());
    let (ready, next) = (Barrier::new(connections + 1), &next);
    let mut whole = Stretch::default();
    thread::scope(|scope| {
        let ready = &ready;
        let workers: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(move || {
                    let connection = Connection::open(target.address);
                    ready.wait();
                    work(target, connection, next)
                })
            })
            .collect();
        ready.wait();
        let (start, before) = (Instant::now(), own());
        for worker in workers {
            match worker.join() {
                Ok(stretch) => whole.add(stretch),
                Err(_) => whole.fail("a thread of the load panicked".into()),
            }
        }
        let processors = start.elapsed().as_secs_f64() * threads(0) as f64;
        whole.generator_share = own().zip(before).map(|(after, before)| (after - before) / processors);
    });
    whole
}

fn work(target: &Target, mut connection: Result<Connection, String>, next: impl Fn(Instant) -> Option<Due>) -> Stretch {
    let (start, mut stretch) = (Instant::now(), Stretch::default());
    let mut used = start;
    while let Some(due) = next(start) {
        if used.elapsed() > IDLE {
            connection = Connection::open(target.address);
        }
        let answer = match &mut connection {
            Ok(connection) => target.ask(connection, due.index),
            Err(reason) => Err(reason.clone()),
        };
        match answer {
            Ok(answered) => {
                stretch.times.push(answered.saturating_duration_since(due.at).as_secs_f64());
                stretch.late.extend(due.late.map(|late| late.as_secs_f64()));
            }
            Err(reason) => {
                stretch.fail(reason);
                if stretch.failures >= MAX_FAILURES {
                    break;
                }
                connection = Connection::open(target.address);
            }
        }
        used = Instant::now();
    }
    stretch.elapsed = start.elapsed().as_secs_f64();
    stretch
}

/// Compares the vectors that `read` finds in a body, one after the other, with those that are expected of each request, which has
/// `images` of them.
pub fn vectors(
    read: fn(&[u8]) -> Result<Vec<f32>, String>,
    expected: Vec<Vec<f32>>,
    images: usize,
    least_cosine: f64,
) -> Check {
    Box::new(move |index, body| {
        let (found, expected) = (read(body)?, &expected[index]);
        if found.len() != expected.len() {
            return Err(format!("it has {} numbers for request {index}, not {}", found.len(), expected.len()));
        }
        let width = expected.len() / images;
        for (image, (found, expected)) in found.chunks(width).zip(expected.chunks(width)).enumerate() {
            let cosine = cosine(found, expected);
            if cosine < least_cosine {
                return Err(format!(
                    "its vector {image} of request {index} has the cosine {cosine:.4} to the right one"
                ));
            }
        }
        Ok(())
    })
}

/// The cosine of the angle between two vectors of one length, 0 when one has no direction.
fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 { dot(a, b) / lengths } else { 0.0 }
}

#[cfg(test)]
mod tests;
