//! `selfie_batches_total`, `selfie_batches_failed_total` and `selfie_batch_size`: how well requests come together.

use super::{MODEL, register};
use crate::Error;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

/// Metrics of batches.
pub struct Batches {
    total: IntCounterVec,
    failed: IntCounterVec,
    size: HistogramVec,
}

impl Batches {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(registry: &Registry) -> Result<Self, Error> {
        let total = Opts::new("selfie_batches_total", "Batches that a runtime has run.");
        let failed =
            Opts::new("selfie_batches_failed_total", "Batches on which a runtime failed; their halves run again.");
        let bounds = (0..10).map(|power| f64::from(1 << power)).collect();
        let size = HistogramOpts::new("selfie_batch_size", "Items of a batch.").buckets(bounds);
        Ok(Self {
            total: register(registry, IntCounterVec::new(total, &MODEL))?,
            failed: register(registry, IntCounterVec::new(failed, &MODEL))?,
            size: register(registry, HistogramVec::new(size, &MODEL))?,
        })
    }

    /// Counts one batch that failed.
    pub fn failed(&self, labels: &[&str]) {
        self.failed.with_label_values(labels).inc();
    }

    /// Counts one batch.
    pub fn observe(&self, labels: &[&str], items: usize) {
        self.total.with_label_values(labels).inc();
        self.size.with_label_values(labels).observe(items as f64);
    }
}
