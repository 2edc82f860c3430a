//! The threads that empty a queue.

use super::backlog::Backlog;
use super::health::{self, Health};
use super::place::Levels;
use super::queue::{Choice, Queue, Turn};
use super::taken::{Batch, Caller, failure};
use super::{Item, Pace, Priority, Run, traced};
use crate::Error;
use crate::metrics::{ModelMetrics, Stage};
use crate::model::Row;
use crate::preprocess::Pixels;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Longest time of a batch that a decoder runs itself: other images wait for it meanwhile.
const SHORT: Duration = Duration::from_millis(5);

/// One item's outputs and how long they took.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The outputs.
    pub row: Row,
    /// Time in the queue.
    pub queue: Duration,
    /// Time of the batch that the item was in.
    pub infer: Duration,
    /// Items of that batch.
    pub batch_size: usize,
}

impl Answer {
    /// The outputs that were known before.
    pub fn known(row: Row) -> Self {
        Self { row, queue: Duration::ZERO, infer: Duration::ZERO, batch_size: 1 }
    }
}

pub struct Runner {
    pub name: String,
    pub model: Arc<dyn Run>,
    /// Most items of a batch. It shrinks where memory is short.
    pub max_batch_size: AtomicUsize,
    pub pace: Pace,
    pub health: Health,
    pub levels: Levels,
    pub metrics: ModelMetrics,
    pub queue: Queue,
    /// Images that wait for a decoder.
    pub coming: AtomicUsize,
}

impl Runner {
    /// Runs what waits until the queue is closed and empty. Those who are free share what waits.
    pub fn run(&self) {
        while let Some(mut turn) = self.queue.wait() {
            let most = self.max_batch_size.load(Ordering::Relaxed);
            let room = turn.room();
            let share = turn.backlog().wanted().div_ceil(room).clamp(1, most);
            self.take(turn, share);
        }
    }

    /// Runs what waits as long as that is for a decoder, which has other images to decode.
    pub fn help(&self) {
        let until = Instant::now() + SHORT;
        let mut has_run = false;
        while let Some(turn) = self.queue.offer(|waiting| self.choose(waiting, has_run, until)) {
            self.take(turn, self.fitting().max(1));
            has_run = true;
        }
    }

    /// What becomes of `waiting` items at a decoder, which may run some until then and `has_run` some before.
    fn choose(&self, waiting: usize, has_run: bool, until: Instant) -> Choice {
        let (fitting, coming) = (self.fitting(), self.coming.load(Ordering::SeqCst));
        let most = if fitting == 0 { self.max_batch_size.load(Ordering::Relaxed) } else { fitting };
        if Instant::now() >= until {
            Choice::Runners
        } else if waiting < most && (has_run && coming > 0 || self.pace.pays(waiting, coming)) {
            Choice::Wait
        } else if fitting == 0 {
            Choice::Runners
        } else {
            Choice::Mine
        }
    }

    /// Most items that a decoder may run at once.
    fn fitting(&self) -> usize {
        match self.model.runs_anywhere() {
            true => self.pace.within(SHORT, self.max_batch_size.load(Ordering::Relaxed)),
            false => 0,
        }
    }

    fn take(&self, mut turn: Turn<'_>, most: usize) {
        let batch = self.collect(turn.backlog(), most);
        let size = batch.callers.len();
        let _running = turn.run(self.pace.drain(size, size.max(1)));
        self.batch(batch);
    }

    /// What is there now, up to `most`, without what nobody waits for and what is late. A spare item runs alone: a client that
    /// comes meanwhile waits for one at most.
    fn collect(&self, backlog: &mut Backlog, most: usize) -> Batch {
        let mut batch = Batch::default();
        let (mut left, mut longest) = (0, None);
        while let Some(item) = backlog.next(batch.callers.is_empty()) {
            let is_spare = item.place.is_spare();
            left += usize::from(!is_spare);
            // Of each item anew: one that comes while others are collected may be late already.
            let now = Instant::now();
            if item.answer.is_closed() {
                self.metrics.canceled();
            } else if item.place.is_late(now) {
                self.metrics.expired();
                self.waited(&item, now, Some("timeout"));
                // A caller that has left meanwhile does not want to know.
                let _ = item.answer.send(Err(Error::Timeout { model: self.name.clone() }));
            } else {
                let queue = now.saturating_duration_since(item.queued);
                if !is_spare {
                    longest = longest.max(Some(queue));
                    self.metrics.stage(Stage::Queue, queue);
                }
                self.waited(&item, now, None);
                batch.inputs.push(item.pixels);
                batch.callers.push(Caller { answer: item.answer, queue, trace: item.place.trace().cloned() });
                drop(item.place);
            }
            if batch.callers.len() == most || is_spare {
                break;
            }
        }
        if let Some(longest) = longest {
            self.metrics.batch_waited(longest);
        }
        self.pace.departed(left, Instant::now(), self.levels.ahead(Priority::LOWEST) > 0);
        batch
    }

    fn waited(&self, item: &Item, until: Instant, failed: Option<&str>) {
        if let Some(trace) = item.place.trace() {
            traced::waited(trace, self.metrics.labels(), [item.queued, until], failed);
        }
    }

    /// Runs the batch. When it fails it runs again in halves, so that only those items fail that fail alone.
    fn batch(&self, whole: Batch) {
        let mut parts = vec![whole];
        // The largest part that ran, and whether the memory was too short for another.
        let (mut enough, mut is_short) = (0, false);
        while let Some(part) = parts.pop() {
            if part.callers.is_empty() {
                continue;
            }
            if self.health.is_broken() {
                part.fail(|| Error::Loading { model: self.name.clone() });
                continue;
            }
            let batch_size = part.callers.len();
            let start = Instant::now();
            let result = self.model.run(&part.inputs);
            let end = Instant::now();
            let infer = end - start;
            let result = result.and_then(|rows| match rows.len() == batch_size {
                true => Ok(rows),
                false => Err(format!("it gave {} rows for {batch_size} items", rows.len())),
            });
            let failed = result.as_ref().err().map(String::as_str);
            traced::ran(&part.traces(), batch_size, self.metrics.labels(), [start, end], failed);
            match result {
                Ok(rows) => {
                    let rows_run = self.model.padded(batch_size);
                    self.health.works();
                    enough = enough.max(rows_run);
                    self.pace.learn(rows_run, infer);
                    self.metrics.batch(batch_size, infer);
                    self.metrics.padding(batch_size, rows_run);
                    part.answer(&self.name, rows, infer);
                }
                Err(reason) if batch_size > 1 => {
                    self.metrics.failed_batch();
                    tracing::warn!(
                        "model {}: a batch of {batch_size} failed and runs again in halves: {reason}",
                        self.name
                    );
                    is_short |= health::is_out_of_memory(&reason);
                    let (first, second) = part.halves();
                    parts.push(second);
                    parts.push(first);
                }
                Err(reason) => {
                    self.metrics.failed_batch();
                    tracing::error!("model {}: an item failed: {reason}", self.name);
                    if self.health.is_suspect(&reason) {
                        self.check(&part.inputs);
                    }
                    part.fail(|| failure(&self.name, &reason));
                }
            }
        }
        if is_short && enough > 0 {
            self.shrink(enough);
        }
    }

    /// Gives no larger batch any more than one that the memory was enough for.
    fn shrink(&self, enough: usize) {
        let before = self.max_batch_size.fetch_min(enough, Ordering::Relaxed);
        if before > enough {
            tracing::warn!(
                "model {}: batches have at most {enough} items now, not {before}: memory is short",
                self.name
            );
        }
    }

    /// Runs as many zeros as items have failed. When they fail as well, the runtime is broken.
    fn check(&self, failed: &[Pixels]) {
        let zeros: Vec<Pixels> = failed.iter().map(Pixels::zeros).collect();
        if let Err(reason) = self.model.run(&zeros) {
            let name = &self.name;
            tracing::error!("model {name}: zeros fail as well, so its runtime is broken and is loaded again: {reason}");
            self.health.break_down();
            self.metrics.refused();
        }
    }
}
