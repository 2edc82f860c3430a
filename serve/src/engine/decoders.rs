//! The threads that decode images, for all models together. Who goes first at the runtime goes first here as well.

use crate::batch::Priority;
use crate::config::threads;
use crate::{Config, Error};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

type Job = Box<dyn FnOnce() + Send>;

/// The threads that decode images. When this is dropped they end after what waits.
pub struct Decoders {
    waiting: Arc<Waiting>,
}

/// What waits for a thread.
#[derive(Default)]
struct Waiting {
    jobs: Mutex<Jobs>,
    changed: Condvar,
}

#[derive(Default)]
struct Jobs {
    levels: [VecDeque<Job>; Priority::COUNT],
    is_closed: bool,
}

impl Decoders {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`Error::Server`] when the system gives none.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let decoders = Self { waiting: Arc::default() };
        for index in 0..threads(config.decode_threads) {
            let waiting = decoders.waiting.clone();
            let thread = std::thread::Builder::new().name(format!("decode-{index}")).spawn(move || waiting.work());
            thread.map_err(|error| Error::Server { reason: format!("no threads to decode images: {error}") })?;
        }
        Ok(decoders)
    }

    /// Runs the job when a thread is free, after those of a higher priority and those of the same that came before.
    pub fn spawn(&self, priority: Priority, job: impl FnOnce() + Send + 'static) {
        self.waiting.lock().levels[priority.index()].push_back(Box::new(job));
        self.waiting.changed.notify_one();
    }
}

impl Drop for Decoders {
    fn drop(&mut self) {
        self.waiting.lock().is_closed = true;
        self.waiting.changed.notify_all();
    }
}

impl Waiting {
    fn work(&self) {
        while let Some(job) = self.next() {
            // The job has told whom it concerns; the thread is for others as well.
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                tracing::error!("a thread that decodes images panicked and goes on");
            }
        }
    }

    /// The job that goes next, as soon as there is one; none when none will come any more.
    fn next(&self) -> Option<Job> {
        let mut jobs = self.lock();
        loop {
            if let Some(job) = jobs.levels.iter_mut().find_map(VecDeque::pop_front) {
                return Some(job);
            }
            if jobs.is_closed {
                return None;
            }
            jobs = self.changed.wait(jobs).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn a_higher_priority_is_decoded_first_and_equal_ones_in_their_order() {
        let decoders = Decoders::new(&Config { decode_threads: 1, ..Config::default() }).unwrap();
        let (leave, gate) = channel::<()>();
        let (began, beginning) = channel();
        decoders.spawn(Priority::USUAL, move || {
            began.send(()).unwrap();
            gate.recv().unwrap();
        });
        beginning.recv().unwrap();
        let (done, order) = channel();
        for (number, priority) in [(1, 9), (2, 0), (3, 1), (4, 9), (5, 0), (6, 1)] {
            let done = done.clone();
            decoders.spawn(Priority::named(priority), move || done.send(number).unwrap());
        }
        drop(done);
        leave.send(()).unwrap();
        assert_eq!(order.iter().collect::<Vec<i32>>(), [3, 6, 2, 5, 1, 4]);
    }

    #[test]
    fn a_job_that_panics_costs_no_thread_and_what_waits_is_done_at_the_end() {
        let decoders = Decoders::new(&Config { decode_threads: 1, ..Config::default() }).unwrap();
        let (done, results) = channel();
        decoders.spawn(Priority::USUAL, || panic!("a bad image"));
        for number in 0..3 {
            let done = done.clone();
            decoders.spawn(Priority::USUAL, move || done.send(number).unwrap());
        }
        drop((done, decoders));
        assert_eq!(results.iter().collect::<Vec<i32>>(), [0, 1, 2]);
    }
}
