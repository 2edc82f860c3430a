//! A bound session with a CUDA graph, on a thread of its own: ONNX Runtime keeps a graph for the thread that captured it, and
//! would capture another one on any other.

use super::bound::Bound;
use super::{Output, Values};
use std::mem::ManuallyDrop;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::thread::{Builder, JoinHandle};

/// While ONNX Runtime captures a CUDA graph, no other thread of the process may ask CUDA for anything that waits or allocates:
/// it captures for all threads. A capture writes here, all else reads.
static CAPTURE: RwLock<()> = RwLock::new(());

/// Keeps captures away as long as it lives.
pub fn no_capture() -> RwLockReadGuard<'static, ()> {
    CAPTURE.read().unwrap_or_else(PoisonError::into_inner)
}

/// A bound session with its thread.
pub struct Graph {
    // Gone before the thread ends, so that the session goes on the thread.
    bound: Option<Arc<Mutex<Bound>>>,
    jobs: Option<Sender<()>>,
    answers: Receiver<Result<(), String>>,
    thread: Option<JoinHandle<()>>,
}

impl Graph {
    /// Starts the thread and captures the graph.
    ///
    /// # Errors
    /// What ONNX Runtime said, or the system gives no thread.
    pub fn capture(bound: Bound) -> Result<Self, String> {
        let bound = Arc::new(Mutex::new(bound));
        let (jobs, waiting) = channel();
        let (done, answers) = channel();
        let of_thread = Arc::clone(&bound);
        let thread = Builder::new().name("graph".into()).spawn(move || work(of_thread, &waiting, &done));
        let thread = Some(thread.map_err(|error| error.to_string())?);
        let graph = Self { bound: Some(bound), jobs: Some(jobs), answers, thread };
        let alone = CAPTURE.write().unwrap_or_else(PoisonError::into_inner);
        let captured = graph.run_laid_down();
        drop(alone);
        captured.map(|()| graph)
    }

    /// Runs one batch.
    ///
    /// # Errors
    /// What ONNX Runtime said.
    pub fn run(&self, shape: &[usize], values: &Values<'_>) -> Result<Vec<Output>, String> {
        let bound = self.bound.as_ref().ok_or("its session is gone")?;
        lock(bound).lay_down(shape, values)?;
        self.run_laid_down()?;
        lock(bound).outputs()
    }

    fn run_laid_down(&self) -> Result<(), String> {
        let ended = "the thread of its graph has ended";
        let jobs = self.jobs.as_ref().ok_or(ended)?;
        jobs.send(()).map_err(|_| ended)?;
        self.answers.recv().map_err(|_| ended)?
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        drop((self.bound.take(), self.jobs.take()));
        // A thread that panicked has said so.
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}

fn work(bound: Arc<Mutex<Bound>>, jobs: &Receiver<()>, done: &Sender<Result<(), String>>) {
    let mut has_failed = false;
    for () in jobs {
        let answer = lock(&bound).run().map_err(|error| error.to_string());
        has_failed |= answer.is_err();
        if done.send(answer).is_err() {
            break;
        }
    }
    if has_failed {
        // ONNX Runtime ends the process when it cannot destroy a graph, as after an error of the device: better to leave it.
        let _left = ManuallyDrop::new(bound);
    }
}

fn lock(bound: &Mutex<Bound>) -> MutexGuard<'_, Bound> {
    bound.lock().unwrap_or_else(PoisonError::into_inner)
}
