//! Devices that go down a slope together: each takes parts of every batch, through a copy of the network.
//!
//! A device has a thread for as long as the training lasts: a thread is to Burn's GPU devices a queue with memory of its own,
//! which a new thread in every step would ask for again.

use super::Task;
use super::lane::Lane;
use super::part::Part;
use crate::Error;
use crate::data::Batch;
use crate::running::{cleared, statistics};
use burn::tensor::Device;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// The devices.
pub(super) struct Crew<T: Task> {
    workers: Vec<Worker<T>>,
    /// The first device, without automatic differentiation: what all parts are brought to.
    home: Device,
}

/// A device's thread.
struct Worker<T: Task> {
    /// Taken when there is nothing more to do.
    jobs: Option<Sender<Job<T>>>,
    parts: Receiver<Part>,
    /// Taken when it has ended.
    thread: Option<JoinHandle<()>>,
}

/// A step of a device.
struct Job<T: Task> {
    network: T::Network,
    /// Parts of the whole batch.
    parts: usize,
    /// Those of this device, with the numbers of their random choices.
    batches: Vec<(Batch, u64)>,
}

impl<T: Task> Crew<T> {
    /// Starts a thread for every device.
    pub(super) fn new(lanes: Vec<Lane>, home: Device, task: &T) -> Self {
        Self { workers: lanes.into_iter().map(|lane| Worker::new(lane, task.clone())).collect(), home }
    }

    /// The parts of a batch, on the first device, in their order: the sum of their gradients is the same in every run.
    pub(super) fn descend(
        &mut self,
        network: &T::Network,
        batches: Vec<(Batch, u64)>,
        mut take: impl FnMut(Part),
    ) -> Result<(), Error> {
        let (parts, devices) = (batches.len(), self.workers.len());
        let mut shares: Vec<Vec<(Batch, u64)>> = self.workers.iter().map(|_| Vec::new()).collect();
        for (number, batch) in batches.into_iter().enumerate() {
            shares[number % devices].push(batch);
        }
        for (worker, batches) in self.workers.iter_mut().zip(shares) {
            worker.start(Job { network: network.clone(), parts, batches })?;
        }
        for number in 0..parts {
            take(self.workers[number % devices].part()?.brought(&self.home, network));
        }
        Ok(())
    }
}

impl<T: Task> Worker<T> {
    fn new(lane: Lane, task: T) -> Self {
        let (jobs, todo) = channel::<Job<T>>();
        let (done, parts) = channel();
        let thread = std::thread::spawn(move || {
            for Job { network, parts, batches } in todo {
                let mut copy = lane.copy(&network);
                drop(network);
                for (batch, draw) in batches {
                    let scores = lane.score(&task, &copy, batch, draw);
                    let part = Part::of(&copy, scores, parts);
                    let part = Part { statistics: statistics(&copy), ..part };
                    copy = cleared(copy);
                    if done.send(part).is_err() {
                        return;
                    }
                }
            }
        });
        Self { jobs: Some(jobs), parts, thread: Some(thread) }
    }

    fn start(&mut self, job: Job<T>) -> Result<(), Error> {
        match self.jobs.as_ref().map(|jobs| jobs.send(job)) {
            Some(Ok(())) => Ok(()),
            _ => Err(self.ended()),
        }
    }

    fn part(&mut self) -> Result<Part, Error> {
        self.parts.recv().map_err(|_| self.ended())
    }

    /// Goes on with the panic that has ended the thread.
    fn ended(&mut self) -> Error {
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(panic)) => resume_unwind(panic),
            _ => Error::Internal { what: "the thread of a device has ended".into() },
        }
    }
}

impl<T: Task> Drop for Worker<T> {
    fn drop(&mut self) {
        self.jobs.take();
        if let Some(thread) = self.thread.take() {
            // Its panic, if any, has been seen by whoever asked it for a part.
            drop(thread.join());
        }
    }
}
