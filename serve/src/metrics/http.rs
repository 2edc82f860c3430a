//! `selfie_http_requests_total` and `selfie_http_request_duration_seconds`: every request, by the template of its route.

use super::openmetrics::Exemplars;
use super::{register, seconds};
use crate::Error;
use crate::trace::TraceId;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use std::time::Duration;

const DURATION: &str = "selfie_http_request_duration_seconds";

/// Metrics of HTTP requests.
#[derive(Clone)]
pub struct Http {
    requests: IntCounterVec,
    duration: HistogramVec,
    /// Requests of `duration` that were traced.
    pub exemplars: Exemplars,
}

impl Http {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(registry: &Registry) -> Result<Self, Error> {
        let requests = Opts::new("selfie_http_requests_total", "HTTP requests by route, method and status.");
        let duration = HistogramOpts::new(DURATION, "Time from request to response.").buckets(seconds());
        Ok(Self {
            requests: register(registry, IntCounterVec::new(requests, &["route", "method", "status"]))?,
            duration: register(registry, HistogramVec::new(duration, &["route"]))?,
            exemplars: Exemplars::default(),
        })
    }

    /// Counts one request, and where it is traced keeps its trace.
    pub fn observe(&self, route: &str, method: &str, status: u16, took: Duration, trace: Option<TraceId>) {
        self.requests.with_label_values(&[route, method, &status.to_string()]).inc();
        self.duration.with_label_values(&[route]).observe(took.as_secs_f64());
        if let Some(trace) = trace {
            let took = took.as_secs_f64();
            let bound = seconds().into_iter().find(|bound| took <= *bound);
            let bound = bound.map_or_else(|| "+Inf".to_owned(), |bound| bound.to_string());
            self.exemplars.keep(format!("{DURATION}_bucket{{route=\"{route}\",le=\"{bound}\"}}"), trace, took);
        }
    }
}
