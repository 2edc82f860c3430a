//! The threads that decode images, for all models together. Who goes first at the runtime goes first here as well.

use crate::batch::Priority;
use crate::config::threads;
use crate::{Config, Error};
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

type Job = Box<dyn FnOnce() + Send>;

/// The threads that decode images.
pub struct Decoders {
    pool: ThreadPool,
    waiting: Arc<Mutex<[VecDeque<Job>; Priority::COUNT]>>,
}

impl Decoders {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`Error::Server`] when the system gives none.
    pub fn new(config: &Config) -> Result<Self, Error> {
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads(config.decode_threads))
            .thread_name(|index| format!("decode-{index}"))
            .build()
            .map_err(|error| Error::Server { reason: format!("no threads to decode images: {error}") })?;
        Ok(Self { pool, waiting: Arc::default() })
    }

    /// Runs the job when a thread is free, after those of a higher priority and those of the same that came before.
    pub fn spawn(&self, priority: Priority, job: impl FnOnce() + Send + 'static) {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)[priority.index()].push_back(Box::new(job));
        let waiting = self.waiting.clone();
        // As many turns as jobs: whoever has one takes the first job that there is by then.
        self.pool.spawn_fifo(move || {
            let mut levels = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let job = levels.iter_mut().find_map(VecDeque::pop_front);
            drop(levels);
            if let Some(job) = job {
                job();
            }
        });
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
}
