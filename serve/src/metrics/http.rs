//! `selfie_http_requests_total` and `selfie_http_request_duration_seconds`: every request, by the template of its route.

use super::{register, seconds};
use crate::Error;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use std::time::Duration;

/// Metrics of HTTP requests.
#[derive(Clone)]
pub struct Http {
    requests: IntCounterVec,
    duration: HistogramVec,
}

impl Http {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(registry: &Registry) -> Result<Self, Error> {
        let requests = Opts::new("selfie_http_requests_total", "HTTP requests by route, method and status.");
        let duration = HistogramOpts::new("selfie_http_request_duration_seconds", "Time from request to response.")
            .buckets(seconds());
        Ok(Self {
            requests: register(registry, IntCounterVec::new(requests, &["route", "method", "status"]))?,
            duration: register(registry, HistogramVec::new(duration, &["route"]))?,
        })
    }

    /// Counts one request.
    pub fn observe(&self, route: &str, method: &str, status: u16, took: Duration) {
        self.requests.with_label_values(&[route, method, &status.to_string()]).inc();
        self.duration.with_label_values(&[route]).observe(took.as_secs_f64());
    }
}
