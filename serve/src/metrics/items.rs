//! `selfie_items_total`, `selfie_items_canceled_total` and `selfie_items_expired_total`: images that a runtime has run, and those
//! that were skipped.

use super::{MODEL, register};
use crate::Error;
use prometheus::{IntCounterVec, Opts, Registry};

/// Metrics of items.
pub struct Items {
    done: IntCounterVec,
    canceled: IntCounterVec,
    expired: IntCounterVec,
}

impl Items {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(registry: &Registry) -> Result<Self, Error> {
        let done = Opts::new("selfie_items_total", "Items that a runtime has run.");
        let canceled = Opts::new("selfie_items_canceled_total", "Items skipped because their client had left.");
        let expired = Opts::new("selfie_items_expired_total", "Items skipped because they had waited too long.");
        Ok(Self {
            done: register(registry, IntCounterVec::new(done, &MODEL))?,
            canceled: register(registry, IntCounterVec::new(canceled, &MODEL))?,
            expired: register(registry, IntCounterVec::new(expired, &MODEL))?,
        })
    }

    /// Counts items that ran.
    pub fn done(&self, labels: &[&str], items: usize) {
        self.done.with_label_values(labels).inc_by(items as u64);
    }

    /// Counts an item whose client had left.
    pub fn canceled(&self, labels: &[&str]) {
        self.canceled.with_label_values(labels).inc();
    }

    /// Counts an item that had waited too long.
    pub fn expired(&self, labels: &[&str]) {
        self.expired.with_label_values(labels).inc();
    }
}
