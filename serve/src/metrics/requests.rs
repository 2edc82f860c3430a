//! `selfie_requests_total`: inference requests by what became of them.

use super::{ModelMetrics, Versions};
use crate::Error;
use prometheus::core::Collector;
use prometheus::proto::{LabelPair, Metric};
use prometheus::{IntCounterVec, Opts};
use std::time::Instant;

/// Metrics of inference requests.
pub struct Requests {
    total: IntCounterVec,
}

impl Requests {
    /// Registers the metric.
    ///
    /// # Errors
    /// The name is taken.
    pub fn new(versions: &mut Versions) -> Result<Self, Error> {
        let help = "Inference requests; outcome is ok, invalid, rejected, timeout, canceled, backend or draining.";
        let opts = Opts::new("selfie_requests_total", help);
        Ok(Self { total: versions.add(IntCounterVec::new(opts, &["model", "version", "api", "outcome"]))? })
    }

    /// The requests of a version that did not end well: outcome and count, one for each API that had some.
    pub fn failures(&self, [model, version]: &[&str; 2]) -> Vec<(String, u64)> {
        let families = self.total.collect();
        let read = |metric: &Metric| {
            let label = |name: &str| metric.get_label().iter().find(|label| label.name() == name).map(LabelPair::value);
            let is_ours = label("model") == Some(*model) && label("version") == Some(*version);
            let outcome = label("outcome").filter(|outcome| is_ours && *outcome != "ok")?;
            Some((outcome.to_owned(), metric.get_counter().get_value() as u64))
        };
        families.iter().flat_map(|family| family.get_metric()).filter_map(read).collect()
    }

    /// Counts one request.
    pub fn count(&self, labels: &[&str; 4]) {
        self.total.with_label_values(labels).inc();
    }
}

/// One request on its way. It counts once: with its result, or as canceled when it is dropped without one, which is what
/// happens when the client leaves.
pub struct Tracked {
    metrics: ModelMetrics,
    api: &'static str,
    outcome: &'static str,
    start: Instant,
}

impl Tracked {
    pub(super) fn new(metrics: ModelMetrics, api: &'static str) -> Self {
        Self { metrics, api, outcome: "canceled", start: Instant::now() }
    }

    /// Counts the result and hands it on.
    ///
    /// # Errors
    /// That of the result.
    pub fn end<T>(mut self, result: Result<T, Error>) -> Result<T, Error> {
        self.outcome = result.as_ref().map_or_else(Error::outcome, |_| "ok");
        result
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.metrics.request(self.api, self.outcome, self.start.elapsed());
    }
}
