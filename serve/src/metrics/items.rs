//! `selfie_items_total`, `selfie_items_canceled_total` and `selfie_items_expired_total`: images that a runtime has run, and those
//! that were skipped.

use super::{MODEL, Versions};
use crate::Error;
use prometheus::{IntCounterVec, Opts};

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
    pub fn new(versions: &mut Versions) -> Result<Self, Error> {
        let done = Opts::new("selfie_items_total", "Items that a runtime has run.");
        let canceled = Opts::new("selfie_items_canceled_total", "Items skipped because their client had left.");
        let expired = Opts::new("selfie_items_expired_total", "Items skipped because they had waited too long.");
        Ok(Self {
            done: versions.add(IntCounterVec::new(done, &MODEL))?,
            canceled: versions.add(IntCounterVec::new(canceled, &MODEL))?,
            expired: versions.add(IntCounterVec::new(expired, &MODEL))?,
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
