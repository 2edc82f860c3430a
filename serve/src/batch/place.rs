//! A place in the queue.

use super::{Priority, Terms};
use crate::metrics::ModelMetrics;
use crate::trace::Context;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;
use tokio::sync::OwnedSemaphorePermit;

/// A place in the queue of a model, free again when it is dropped, which is when the runtime takes its item or nobody wants it
/// any more.
pub struct Place {
    _permit: OwnedSemaphorePermit,
    metrics: ModelMetrics,
    waiting: Waiting,
    levels: Levels,
    terms: Terms,
}

/// Places that are taken, by priority.
#[derive(Clone, Default)]
pub(crate) struct Levels(Arc<[AtomicUsize; Priority::COUNT]>);

impl Levels {
    /// Places of this priority and the higher ones.
    pub fn ahead(&self, priority: Priority) -> usize {
        self.0[..=priority.index()].iter().map(|level| level.load(Ordering::SeqCst)).sum()
    }
}

/// The items of one request that still hold their places.
#[derive(Clone, Default)]
pub struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    /// Whether there is one.
    pub fn any(&self) -> bool {
        self.0.load(Ordering::SeqCst) > 0
    }
}

impl Place {
    pub(super) fn new(
        permit: OwnedSemaphorePermit,
        metrics: ModelMetrics,
        waiting: &Waiting,
        levels: &Levels,
        terms: Terms,
    ) -> Self {
        if terms.priority != Priority::SPARE {
            metrics.queue_depth(terms.priority.label(), 1);
        }
        waiting.0.fetch_add(1, Ordering::SeqCst);
        levels.0[terms.priority.index()].fetch_add(1, Ordering::SeqCst);
        Self { _permit: permit, metrics, waiting: waiting.clone(), levels: levels.clone(), terms }
    }

    /// Whether the item may not run any more at `now`.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.terms.until.is_some_and(|until| until <= now)
    }

    /// Whether no client waits for the item.
    pub(super) fn is_spare(&self) -> bool {
        self.terms.priority == Priority::SPARE
    }

    /// Who goes first.
    pub(super) fn priority(&self) -> Priority {
        self.terms.priority
    }

    /// The span of the item's request, if it is traced.
    pub fn trace(&self) -> Option<&Context> {
        self.terms.trace.as_ref()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.waiting.0.fetch_sub(1, Ordering::SeqCst);
        self.levels.0[self.terms.priority.index()].fetch_sub(1, Ordering::SeqCst);
        if !self.is_spare() {
            self.metrics.queue_depth(self.terms.priority.label(), -1);
        }
    }
}
