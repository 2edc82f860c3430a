//! Spans that are lost: each is counted, and the log hears of the first of a row.

use crate::metrics::Spans;
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A loss so long after the one before is told anew.
const QUIET: Duration = Duration::from_secs(60);

/// Counts what is lost.
pub struct Losses {
    metrics: Spans,
    last: Mutex<Option<Instant>>,
}

impl Losses {
    /// Nothing is lost yet.
    pub fn new(metrics: Spans) -> Self {
        Self { metrics, last: Mutex::default() }
    }

    /// So many were lost.
    pub fn add(&self, spans: usize, reason: impl Display) {
        self.metrics.dropped(spans);
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).replace(Instant::now());
        if last.is_none_or(|last| last.elapsed() > QUIET) {
            tracing::warn!("spans are lost, as many as selfie_spans_dropped_total says: {reason}");
        }
    }
}
