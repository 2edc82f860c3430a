//! `selfie_batches_total`, `selfie_batches_failed_total`, `selfie_batch_size` and `selfie_batch_wait_seconds`: how well requests
//! come together, and how long the first one waits for that.

use super::{MODEL, Versions, seconds};
use crate::Error;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts};
use std::time::Duration;

/// Metrics of batches.
pub struct Batches {
    total: IntCounterVec,
    failed: IntCounterVec,
    size: HistogramVec,
    wait: HistogramVec,
}

impl Batches {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(versions: &mut Versions) -> Result<Self, Error> {
        let total = Opts::new("selfie_batches_total", "Batches that a runtime has run.");
        let failed =
            Opts::new("selfie_batches_failed_total", "Batches on which a runtime failed; their halves run again.");
        let bounds = (0..10).map(|power| f64::from(1 << power)).collect();
        let size = HistogramOpts::new("selfie_batch_size", "Items of a batch.").buckets(bounds);
        let help = "Time for which the item of a batch that came first had waited for the runtime.";
        let wait = HistogramOpts::new("selfie_batch_wait_seconds", help).buckets(seconds());
        Ok(Self {
            total: versions.add(IntCounterVec::new(total, &MODEL))?,
            failed: versions.add(IntCounterVec::new(failed, &MODEL))?,
            size: versions.add(HistogramVec::new(size, &MODEL))?,
            wait: versions.add(HistogramVec::new(wait, &MODEL))?,
        })
    }

    /// A batch was put together whose first item had waited for `waited`.
    pub fn waited(&self, labels: &[&str], waited: Duration) {
        self.wait.with_label_values(labels).observe(waited.as_secs_f64());
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
