//! What `/metrics` shows, in Prometheus' text format: base units, histograms that add up over replicas.
//!
//! A family of metrics is one file with a struct that registers itself, and its two lines in [`Metrics`].

mod batches;
mod build;
mod cache;
mod flight;
mod galleries;
mod grpc;
mod http;
mod images;
mod items;
mod loaded;
mod model;
pub mod openmetrics;
mod padding;
pub(crate) mod process;
mod queue;
mod requests;
mod shadows;
mod spans;
mod stages;
mod statistics;
pub mod triton;
mod versions;

pub use model::ModelMetrics;
pub use requests::Tracked;
pub use shadows::ShadowOutcome;
pub(crate) use spans::Spans;
pub use stages::Stage;
pub use statistics::{RequestTimes, Snapshot, Statistics, Total};
use versions::Versions;

use crate::Error;
use prometheus::core::Collector;
use prometheus::{IntGauge, Registry, TextEncoder};
use std::sync::Arc;

/// Every metric of a server.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    pub(crate) grpc: grpc::Grpc,
    pub(crate) http: http::Http,
    pub(crate) galleries: galleries::Galleries,
    pub(crate) in_flight: IntGauge,
    pub(crate) spans: Spans,
    pub(crate) families: Arc<Families>,
}

/// The metrics that carry the labels of a model.
pub(crate) struct Families {
    pub requests: requests::Requests,
    pub images: images::Images,
    pub items: items::Items,
    pub batches: batches::Batches,
    pub padding: padding::Padding,
    pub cache: cache::Cache,
    pub stages: stages::Stages,
    pub queue: queue::Queue,
    pub loaded: loaded::Loaded,
    pub shadows: shadows::Shadows,
    versions: Versions,
}

impl Metrics {
    /// Fresh metrics, all zero.
    ///
    /// # Errors
    /// [`Error::Server`] when two metrics have the same name.
    pub fn new() -> Result<Self, Error> {
        let registry = Registry::new();
        build::register(&registry)?;
        process::register(&registry)?;
        let grpc = grpc::Grpc::new(&registry)?;
        let http = http::Http::new(&registry)?;
        let galleries = galleries::Galleries::new(&registry)?;
        let in_flight = flight::gauge(&registry)?;
        let spans = Spans::new(&registry)?;
        let mut versions = Versions::new(&registry);
        let families = Families {
            requests: requests::Requests::new(&mut versions)?,
            images: images::Images::new(&registry)?,
            items: items::Items::new(&mut versions)?,
            batches: batches::Batches::new(&mut versions)?,
            padding: padding::Padding::new(&mut versions)?,
            cache: cache::Cache::new(&mut versions)?,
            stages: stages::Stages::new(&mut versions)?,
            queue: queue::Queue::new(&mut versions)?,
            loaded: loaded::Loaded::new(&mut versions)?,
            shadows: shadows::Shadows::new(&mut versions)?,
            versions,
        };
        Ok(Self { registry, grpc, http, galleries, in_flight, spans, families: Arc::new(families) })
    }

    /// The metrics of one version of a model.
    pub fn model(&self, model: &str, version: u64) -> ModelMetrics {
        ModelMetrics::new(self.families.clone(), model, version)
    }

    /// A request of `api` was refused before a model got it. Names that nobody knows are one: clients make them up.
    pub(crate) fn unserved(&self, api: &str, error: &Error) {
        let model: &str = match error {
            Error::Loading { model } | Error::Refused { model, .. } => model,
            _ => UNKNOWN,
        };
        self.families.requests.count(&[model, UNKNOWN, api, error.outcome()]);
    }

    /// All metrics as text.
    ///
    /// # Errors
    /// [`Error::Server`] when a metric cannot be written.
    pub fn text(&self) -> Result<String, Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather()).map_err(broken)
    }
}

/// Labels of every metric of a model.
const MODEL: [&str; 2] = ["model", "version"];

/// Stands for every model and version that is not served.
const UNKNOWN: &str = "_unknown";

/// Registers what `made` holds.
fn register<C: Collector + Clone + 'static>(registry: &Registry, made: prometheus::Result<C>) -> Result<C, Error> {
    let metric = made.map_err(broken)?;
    registry.register(Box::new(metric.clone())).map_err(broken)?;
    Ok(metric)
}

fn broken(error: prometheus::Error) -> Error {
    Error::Server { reason: format!("metrics: {error}") }
}

/// Bounds of the buckets of durations: 0.1 ms to 52 s, each twice the one before.
fn seconds() -> Vec<f64> {
    (0..20).map(|power| 1e-4 * f64::from(1 << power)).collect()
}

#[cfg(test)]
mod tests;
