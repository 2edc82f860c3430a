//! `selfie_batch_rows_total`, `selfie_padding_rows_total` and `selfie_padding_ratio`: what buckets cost.

use super::{MODEL, Versions};
use crate::Error;
use prometheus::{GaugeVec, IntCounterVec, Opts};

/// Metrics of padding.
pub struct Padding {
    rows: IntCounterVec,
    padding: IntCounterVec,
    ratio: GaugeVec,
}

impl Padding {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(versions: &mut Versions) -> Result<Self, Error> {
        let rows = Opts::new("selfie_batch_rows_total", "Rows that a runtime has run, padding included.");
        let padding = Opts::new("selfie_padding_rows_total", "Rows of zeros that filled batches up.");
        let ratio = Opts::new("selfie_padding_ratio", "Part of all rows so far that was padding.");
        Ok(Self {
            rows: versions.add(IntCounterVec::new(rows, &MODEL))?,
            padding: versions.add(IntCounterVec::new(padding, &MODEL))?,
            ratio: versions.add(GaugeVec::new(ratio, &MODEL))?,
        })
    }

    /// Counts one batch of `rows` rows, `items` of which were asked for.
    pub fn observe(&self, labels: &[&str], items: usize, rows: usize) {
        let (all, padding) = (self.rows.with_label_values(labels), self.padding.with_label_values(labels));
        all.inc_by(rows as u64);
        padding.inc_by(rows.saturating_sub(items) as u64);
        self.ratio.with_label_values(labels).set(padding.get() as f64 / all.get().max(1) as f64);
    }
}
