//! `selfie_queue_depth` and `selfie_queue_limit`: how full the queue of a model is.

use super::{MODEL, Versions};
use crate::Error;
use prometheus::{IntGaugeVec, Opts};

/// Metrics of queues.
pub struct Queue {
    depth: IntGaugeVec,
    limit: IntGaugeVec,
}

impl Queue {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(versions: &mut Versions) -> Result<Self, Error> {
        let depth = Opts::new("selfie_queue_depth", "Items that wait, decoding included; priority 1 goes first.");
        let limit = Opts::new("selfie_queue_limit", "Most items that may wait.");
        Ok(Self {
            depth: versions.add(IntGaugeVec::new(depth, &["model", "version", "priority"]))?,
            limit: versions.add(IntGaugeVec::new(limit, &MODEL))?,
        })
    }

    /// Changes the depth.
    pub fn depth(&self, [model, version]: &[&str; 2], priority: &str, change: i64) {
        self.depth.with_label_values(&[model, version, priority]).add(change);
    }

    /// Sets the limit.
    pub fn limit(&self, labels: &[&str], items: usize) {
        self.limit.with_label_values(labels).set(items as i64);
    }
}
