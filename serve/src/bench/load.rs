//! Load: connections that send requests and check every answer.
//!
//! In a closed loop every connection sends its next request when the answer is there, which finds the most that a server can
//! do. In an open loop requests are due at given times, whatever the server does; the time of a request counts from when it was
//! due, also when no connection was free to send it then. So a server that stalls is charged for all who would have waited.

use super::connection::{Connection, TIMEOUT};
use crate::config::threads;
use crate::usage;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::net::SocketAddr;
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
    /// Asks the first request.
    ///
    /// # Errors
    /// What is wrong with the answer.
    pub fn ask(&self, connection: &mut Connection) -> Result<(), String> {
        (self.check)(0, connection.ask(&self.requests[0])?)
    }
}

impl Stretch {
    /// Right answers a second.
    pub fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.elapsed
    }

    fn fail(&mut self, reason: String) {
        self.failures += 1;
        self.failure.get_or_insert(reason);
    }
}

/// `connections` ask one request after the other for a while; what is under way at the end is finished and counts. However short
/// the while is, one request is sent.
pub fn closed(target: &Target, connections: usize, duration: Duration) -> Stretch {
    let mut asked = 0;
    run(target, connections, |start| {
        let at = Instant::now();
        if asked > 0 && at >= start + duration {
            return Next::Over;
        }
        asked += 1;
        Next::Now(Due { at, index: asked - 1 })
    })
}

/// Requests are due at `arrivals` after the start.
pub fn open(target: &Target, connections: usize, arrivals: &[Duration]) -> Stretch {
    let mut arrivals = arrivals.iter().enumerate().peekable();
    run(target, connections, |start| match arrivals.peek() {
        None => Next::Over,
        Some((_, after)) if start + **after > Instant::now() => Next::At(start + **after),
        Some((index, after)) => {
            let due = Due { at: start + **after, index: *index };
            arrivals.next();
            Next::Now(due)
        }
    })
}

/// When a connection that is free has something to do.
enum Next {
    Now(Due),
    At(Instant),
    Over,
}

/// One request.
#[derive(Clone, Copy)]
struct Due {
    at: Instant,
    index: usize,
}

/// Asks what `next` gives, with one thread for all connections: a thread for each would cost the servers more of the processors.
fn run(target: &Target, connections: usize, mut next: impl FnMut(Instant) -> Next) -> Stretch {
    let own = || usage::cpu_seconds(std::process::id());
    let mut slots: Vec<Slot> = (0..connections).map(|_| Slot::open(target.address)).collect();
    let mut free: VecDeque<usize> = (0..connections).collect();
    let mut stretch = Stretch::default();
    let (start, before) = (Instant::now(), own());
    let mut awaited = None;
    loop {
        let mut wake = None;
        let mut done = Vec::new();
        while let Some(&index) = free.front() {
            match next(start) {
                Next::Now(due) => {
                    free.pop_front();
                    if awaited == Some(due.at) {
                        stretch.late.push(due.at.elapsed().as_secs_f64());
                    }
                    if let Some(failed) = slots[index].begin(target, due) {
                        done.push((index, failed));
                    }
                }
                Next::At(at) => {
                    wake = Some(at);
                    break;
                }
                Next::Over => break,
            }
        }
        awaited = wake;
        let busy = slots.iter().any(|slot| slot.due.is_some());
        if done.is_empty() {
            if !busy && wake.is_none() {
                break;
            }
            wait(target, &mut slots, wake, &mut done);
        }
        for (index, answer) in done {
            if slots[index].end(target, answer, &mut stretch) {
                free.push_back(index);
            }
        }
    }
    stretch.elapsed = start.elapsed().as_secs_f64();
    let processors = stretch.elapsed * threads(0) as f64;
    stretch.generator_share = own().zip(before).map(|(after, before)| (after - before) / processors);
    stretch
}

/// Waits for the servers, until `wake` at most, and says what became of which connection.
fn wait(target: &Target, slots: &mut [Slot], wake: Option<Instant>, done: &mut Vec<(usize, Answer)>) {
    let busy: Vec<usize> = (0..slots.len()).filter(|index| slots[*index].due.is_some()).collect();
    let patience = wake.map_or(TIMEOUT, |wake| wake.saturating_duration_since(Instant::now()));
    let timeout = Timespec { tv_sec: patience.as_secs() as i64, tv_nsec: patience.subsec_nanos().into() };
    let mut polled: Vec<PollFd<'_>> = busy.iter().filter_map(|index| slots[*index].polled(target)).collect();
    let heard = poll(&mut polled, Some(&timeout));
    let heard_of: Vec<bool> = polled.iter().map(|polled| !polled.revents().is_empty()).collect();
    match heard {
        Ok(0) if wake.is_none() => {
            let late = format!("no answer within {} s", TIMEOUT.as_secs());
            done.extend(busy.into_iter().map(|index| (index, Err(late.clone()))));
        }
        Ok(_) => {
            let heard_of = busy.into_iter().zip(heard_of).filter(|(_, heard)| *heard);
            done.extend(heard_of.filter_map(|(index, _)| Some((index, slots[index].advance(target)?))));
        }
        Err(Errno::INTR) => {}
        Err(error) => done.extend(busy.into_iter().map(|index| (index, Err(error.to_string())))),
    }
}

/// When the right answer came, or what was wrong.
type Answer = Result<Instant, String>;

/// A connection and the request that it has under way.
struct Slot {
    connection: Result<Connection, String>,
    used: Instant,
    failures: usize,
    due: Option<Due>,
    sent: usize,
}

impl Slot {
    fn open(address: SocketAddr) -> Self {
        Self { connection: Connection::open_for_poll(address), used: Instant::now(), failures: 0, due: None, sent: 0 }
    }

    /// Sends a request, or as much of it as fits. Gives what became of it where that is known already.
    fn begin(&mut self, target: &Target, due: Due) -> Option<Answer> {
        if self.used.elapsed() > IDLE {
            self.connection = Connection::open_for_poll(target.address);
        }
        (self.due, self.sent) = (Some(due), 0);
        match &mut self.connection {
            Ok(connection) => connection.begin(),
            Err(reason) => return Some(Err(reason.clone())),
        }
        self.advance(target)
    }

    /// Goes on with the request. Gives what became of it once that is known.
    fn advance(&mut self, target: &Target) -> Option<Answer> {
        let index = self.due?.index % target.requests.len();
        let (connection, request) = (self.connection.as_mut().ok()?, &target.requests[index]);
        if self.sent < request.len() {
            return match connection.send(&request[self.sent..]) {
                Ok(sent) => {
                    self.sent += sent;
                    None
                }
                Err(reason) => Some(Err(reason)),
            };
        }
        match connection.receive() {
            Ok(None) => None,
            Ok(Some(body)) => {
                let answered = Instant::now();
                Some((target.check)(index, body).map(|()| answered))
            }
            Err(reason) => Some(Err(reason)),
        }
    }

    /// What it waits for.
    fn polled(&self, target: &Target) -> Option<PollFd<'_>> {
        let (due, connection) = (self.due?, self.connection.as_ref().ok()?);
        let sending = self.sent < target.requests[due.index % target.requests.len()].len();
        Some(PollFd::new(connection.stream(), if sending { PollFlags::OUT } else { PollFlags::IN }))
    }

    /// Notes what became of the request, and says whether it takes another one.
    fn end(&mut self, target: &Target, answer: Answer, stretch: &mut Stretch) -> bool {
        let due = self.due.take();
        self.used = Instant::now();
        match answer {
            Ok(answered) => {
                stretch.times.extend(due.map(|due| answered.saturating_duration_since(due.at).as_secs_f64()));
                return true;
            }
            Err(reason) => stretch.fail(reason),
        }
        self.failures += 1;
        self.connection = Connection::open_for_poll(target.address);
        self.failures < MAX_FAILURES
    }
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
