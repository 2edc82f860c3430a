//! `selfie_spans_sent_total` and `selfie_spans_dropped_total`: what became of the spans of traces.

use super::register;
use crate::Error;
use prometheus::{IntCounter, Registry};

/// Metrics of spans.
#[derive(Clone)]
pub struct Spans {
    sent: IntCounter,
    dropped: IntCounter,
}

impl Spans {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(registry: &Registry) -> Result<Self, Error> {
        let sent = IntCounter::new("selfie_spans_sent_total", "Spans of traces that the collector took.");
        let help = "Spans of traces that were lost, because the collector did not take them in time.";
        let dropped = IntCounter::new("selfie_spans_dropped_total", help);
        Ok(Self { sent: register(registry, sent)?, dropped: register(registry, dropped)? })
    }

    /// The collector took so many.
    pub fn sent(&self, spans: usize) {
        self.sent.inc_by(spans as u64);
    }

    /// So many were lost.
    pub fn dropped(&self, spans: usize) {
        self.dropped.inc_by(spans as u64);
    }
}
