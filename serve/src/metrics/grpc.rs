//! `selfie_grpc_requests_total` and `selfie_grpc_request_duration_seconds`: every call, by its name.

use super::{register, seconds};
use crate::Error;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};
use std::time::Duration;
use tonic::Code;

/// Metrics of gRPC calls.
#[derive(Clone)]
pub struct Grpc {
    requests: IntCounterVec,
    duration: HistogramVec,
}

impl Grpc {
    /// Registers the metrics.
    ///
    /// # Errors
    /// A name is taken.
    pub fn new(registry: &Registry) -> Result<Self, Error> {
        let requests = Opts::new("selfie_grpc_requests_total", "gRPC calls by method and status code.");
        let duration = HistogramOpts::new("selfie_grpc_request_duration_seconds", "Time from call to response.")
            .buckets(seconds());
        Ok(Self {
            requests: register(registry, IntCounterVec::new(requests, &["method", "code"]))?,
            duration: register(registry, HistogramVec::new(duration, &["method"]))?,
        })
    }

    /// Counts one call. The code is that of its beginning: a stream counts when it opens.
    pub fn observe(&self, method: &str, code: Code, took: Duration) {
        self.requests.with_label_values(&[method, &format!("{code:?}")]).inc();
        self.duration.with_label_values(&[method]).observe(took.as_secs_f64());
    }
}
