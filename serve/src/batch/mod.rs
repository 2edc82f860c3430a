//! Many callers, one runtime. Work-conserving: whenever the runtime is free it gets what is there, up to the largest
//! batch. A runtime that runs several batches at once has as many runners; those that are free share what is there. A decoder that has
//! prepared an item runs a short batch itself and leaves a long one to a runner; what it has prepared waits for images that are being
//! decoded only where a larger batch saves more than that costs, and never for long.
//!
//! An item takes a place in the bounded queue before anything is done for it, so an overload is refused at once, and so is
//! an item that would wait longer than it may. It leaves the queue when the runner takes it. The answer comes back by a oneshot
//! channel; when the caller has closed it, the item is skipped. Items of a higher priority go first. A batch that fails runs again in halves.
//! Work that no client waits for has places of its own and runs when nothing else is there.
//!
//! `place` and `terms` are what an item holds while it waits, `backlog` the order, `queue` whose turn it is, `runner` the
//! threads, `taken` the items on the runtime; `pace` knows how long batches take, `health` whether the runtime still works.

mod backlog;
mod health;
mod pace;
mod place;
mod queue;
mod runner;
mod taken;
mod terms;
mod traced;

pub use place::{Place, Waiting};
pub use runner::Answer;
pub use terms::{Priority, Terms};

use crate::Error;
use crate::metrics::ModelMetrics;
use crate::model::Row;
use crate::preprocess::Pixels;
use health::Health;
use pace::Pace;
use place::Levels;
use queue::Queue;
use runner::Runner;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::{Semaphore, oneshot};

/// What runs a batch. A loaded model does.
pub trait Run: Send + Sync + 'static {
    /// Runs the items; gives one row for each, in their order.
    ///
    /// # Errors
    /// What went wrong with the whole batch.
    fn run(&self, items: &[Pixels]) -> Result<Vec<Row>, String>;

    /// Rows that the runtime computes for so many items, those of padding included.
    fn padded(&self, items: usize) -> usize {
        items
    }

    /// How many batches it runs at once.
    fn at_once(&self) -> usize {
        1
    }

    /// Whether threads that prepare items may run some. ONNX Runtime keeps handles of a GPU's libraries, and memory there, for each
    /// thread that runs something, and lets the thread wait for the GPU meanwhile.
    fn runs_anywhere(&self) -> bool {
        true
    }
}

impl Run for crate::Model {
    fn run(&self, items: &[Pixels]) -> Result<Vec<Row>, String> {
        self.run_items(items)
    }

    fn padded(&self, items: usize) -> usize {
        Self::padded(self, items)
    }

    fn runs_anywhere(&self) -> bool {
        self.choice.device.is_processor()
    }

    fn at_once(&self) -> usize {
        Self::at_once(self)
    }
}

/// Sizes of a batcher.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Most items that the runtime gets at once.
    pub max_batch_size: usize,
    /// Most items that wait.
    pub max_queue_items: usize,
}

/// One item on its way to the runtime.
pub(crate) struct Item {
    pub pixels: Pixels,
    pub answer: oneshot::Sender<Result<Answer, Error>>,
    pub place: Place,
    pub queued: Instant,
}

/// The queue of one model and the threads that empty it, one for each batch that the model runs at once.
pub struct Batcher {
    limits: Limits,
    at_once: u32,
    places: Arc<Semaphore>,
    spare: Arc<Semaphore>,
    runner: Arc<Runner>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Batcher {
    /// Starts the runners of the model `name`.
    ///
    /// # Errors
    /// [`Error::Server`] when the system gives no thread.
    pub fn start(name: &str, model: Arc<dyn Run>, limits: Limits, metrics: ModelMetrics) -> Result<Self, Error> {
        let places = Arc::new(Semaphore::new(limits.max_queue_items));
        metrics.queue_limit(limits.max_queue_items);
        let at_once = model.at_once().max(1);
        let runner = Arc::new(Runner {
            name: name.to_owned(),
            model,
            max_batch_size: limits.max_batch_size.into(),
            pace: Pace::default(),
            health: Health::default(),
            levels: Levels::default(),
            metrics,
            queue: Queue::new(at_once),
            coming: AtomicUsize::new(0),
        });
        let thread = |_| {
            let runner = runner.clone();
            let thread = std::thread::Builder::new().name(format!("batch-{name}")).spawn(move || runner.run());
            thread.map_err(|error| Error::Server { reason: format!("no thread for the batches of {name}: {error}") })
        };
        // Those that there are already end, and let the model go.
        let threads = (0..at_once).map(thread).collect::<Result<_, _>>().inspect_err(|_| runner.queue.close())?;
        let (at_once, threads) = (u32::try_from(at_once).unwrap_or(u32::MAX), Mutex::new(threads));
        Ok(Self { limits, at_once, places, spare: Arc::new(Semaphore::new(limits.max_batch_size)), runner, threads })
    }

    /// Takes places in the queue, all or none. An item that is still in its place when its terms
    /// end is not run.
    ///
    /// # Errors
    /// [`Error::QueueFull`], or [`Error::TooLate`] when the items would still wait then; both with the time after
    /// which a retry is likely to succeed. [`Error::Loading`] when the runtime is broken, which is loaded again.
    pub fn admit(&self, count: usize, terms: Terms) -> Result<(Vec<Place>, Waiting), Error> {
        let Runner { name, pace, health, levels, metrics, queue, .. } = &*self.runner;
        if health.is_broken() {
            return Err(Error::Loading { model: name.clone() });
        }
        let Limits { max_batch_size, max_queue_items } = self.limits;
        // What the runtime could do, or what has left of late where something else is in the way, such as decoding.
        let drain = |items: usize| {
            let runs = pace.drain(items, max_batch_size) / self.at_once;
            runs.max(pace.leave(items)) + queue.busy()
        };
        let seconds = |drain: Duration| drain.as_millis().div_ceil(1000).max(1) as u64;
        if let Some(until) = terms.until {
            let drain = drain(levels.ahead(terms.priority));
            if until.saturating_duration_since(Instant::now()) < drain {
                let (wait_ms, retry_after_s) = (drain.as_millis() as u64, seconds(drain));
                return Err(Error::TooLate { model: name.clone(), wait_ms, retry_after_s });
            }
        }
        let places = u32::try_from(count).ok().and_then(|count| self.places.clone().try_acquire_many_owned(count).ok());
        let Some(mut places) = places else {
            // Places are everybody's, whatever the priority of those who hold them.
            let retry_after_s = seconds(drain(levels.ahead(Priority::LOWEST)));
            return Err(Error::QueueFull { model: name.clone(), limit: max_queue_items, retry_after_s });
        };
        let waiting = Waiting::default();
        let place = |permit| Place::new(permit, metrics.clone(), &waiting, levels, terms.clone());
        let places = (0..count).filter_map(|_| places.split(1).map(place)).collect();
        Ok((places, waiting))
    }

    /// Takes places for work that no client waits for, as many of `count` as there are. They are no places of the queue, so
    /// they are in nobody's way, and not more than the largest batch.
    pub fn admit_spare(&self, count: usize) -> Vec<Place> {
        let waiting = Waiting::default();
        let terms = || Terms { priority: Priority::SPARE, ..Terms::default() };
        let Runner { levels, metrics, .. } = &*self.runner;
        let place = |permit| Place::new(permit, metrics.clone(), &waiting, levels, terms());
        (0..count).map_while(|_| self.spare.clone().try_acquire_owned().ok()).map(place).collect()
    }

    /// Puts a prepared item into its place. The answer goes to `answer`.
    pub fn push(&self, pixels: Pixels, place: Place, answer: oneshot::Sender<Result<Answer, Error>>) {
        reject(self.runner.queue.push(Item { pixels, answer, place, queued: Instant::now() }));
    }

    /// So many images will be prepared by threads that each call [`Batcher::begun`], and at last [`Batcher::help`].
    pub fn announce(&self, images: usize) {
        self.runner.coming.fetch_add(images, Ordering::SeqCst);
    }

    /// A thread has begun with an image that was announced.
    pub fn begun(&self) {
        self.runner.coming.fetch_sub(1, Ordering::SeqCst);
    }

    /// As [`Batcher::push`] for a thread that has prepared an item in the time `took` and calls [`Batcher::help`] next.
    pub fn put(&self, pixels: Pixels, place: Place, answer: oneshot::Sender<Result<Answer, Error>>, took: Duration) {
        self.runner.pace.prepared(took);
        reject(self.runner.queue.put(Item { pixels, answer, place, queued: Instant::now() }));
    }

    /// Runs what waits, as long as that is for the thread that calls.
    pub fn help(&self) {
        self.runner.help();
    }

    /// Takes no new item, finishes every item that is queued, and returns when nothing runs any more.
    pub fn finish(&self) {
        self.runner.queue.close();
        for thread in self.threads.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            if thread.join().is_err() {
                tracing::error!("a runner of model {} panicked", self.runner.name);
            }
        }
        self.runner.queue.ended();
    }

    /// Whether the runtime fails whatever it is given.
    pub fn is_broken(&self) -> bool {
        self.runner.health.is_broken()
    }

    #[cfg(test)]
    pub(crate) fn break_down(&self) {
        self.runner.health.break_down();
    }

    /// Most items that wait.
    pub fn limits(&self) -> Limits {
        self.limits
    }
}

/// Tells whoever waits for an item that came too late.
fn reject(refused: Option<Item>) {
    if let Some(item) = refused {
        // The caller may have gone as well; then nobody is left to tell.
        let _ = item.answer.send(Err(Error::Draining));
    }
}

/// The runners end on their own, after what is queued, and let the model go. Whoever drops the last handle may be a thread
/// that must not wait for that.
impl Drop for Batcher {
    fn drop(&mut self) {
        self.runner.queue.close();
    }
}

#[cfg(test)]
mod helping;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
