//! What `/metrics` shows, in Prometheus' text format: base units, histograms that add up over replicas.
//!
//! A family of metrics is one file with a struct that registers itself, and its two lines in [`Metrics`].

mod batches;
mod build;
mod flight;
mod galleries;
mod grpc;
mod http;
mod items;
mod loaded;
mod model;
mod padding;
mod queue;
mod requests;
mod shadows;
mod spans;
mod stages;
mod statistics;
pub mod triton;

pub use model::ModelMetrics;
pub use requests::Tracked;
pub use shadows::ShadowOutcome;
pub(crate) use spans::Spans;
pub use stages::Stage;
pub use statistics::{Snapshot, Statistics, Total};

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
    pub items: items::Items,
    pub batches: batches::Batches,
    pub padding: padding::Padding,
    pub stages: stages::Stages,
    pub queue: queue::Queue,
    pub loaded: loaded::Loaded,
    pub shadows: shadows::Shadows,
}

impl Metrics {
    /// Fresh metrics, all zero.
    ///
    /// # Errors
    /// [`Error::Server`] when two metrics have the same name.
    pub fn new() -> Result<Self, Error> {
        let registry = Registry::new();
        build::register(&registry)?;
        let grpc = grpc::Grpc::new(&registry)?;
        let http = http::Http::new(&registry)?;
        let galleries = galleries::Galleries::new(&registry)?;
        let in_flight = flight::gauge(&registry)?;
        let spans = Spans::new(&registry)?;
        let families = Families {
            requests: requests::Requests::new(&registry)?,
            items: items::Items::new(&registry)?,
            batches: batches::Batches::new(&registry)?,
            padding: padding::Padding::new(&registry)?,
            stages: stages::Stages::new(&registry)?,
            queue: queue::Queue::new(&registry)?,
            loaded: loaded::Loaded::new(&registry)?,
            shadows: shadows::Shadows::new(&registry)?,
        };
        Ok(Self { registry, grpc, http, galleries, in_flight, spans, families: Arc::new(families) })
    }

    /// The metrics of one version of a model.
    pub fn model(&self, model: &str, version: u64) -> ModelMetrics {
        ModelMetrics::new(self.families.clone(), model, version)
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
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn every_family_shows_up_with_its_labels() {
        let metrics = Metrics::new().unwrap();
        let model = metrics.model("m", 3);
        model.batch(2, Duration::from_millis(5));
        model.padding(3, 4);
        model.padding(2, 4);
        model.stage(Stage::Decode, Duration::from_millis(1));
        model.canceled();
        model.expired();
        model.failed_batch();
        model.queue_limit(7);
        model.queue_depth(1);
        model.loaded(Duration::from_secs(1));
        drop(model.track("embeddings"));
        model.shadowed("4", ShadowOutcome::Dropped);
        model.shadow_cosine("4", 0.9995);
        model.shadow_class("4", true);
        metrics.http.observe("/v1/models", "GET", 200, Duration::from_millis(1));
        metrics.grpc.observe("ModelInfer", tonic::Code::NotFound, Duration::from_millis(1));
        metrics.in_flight.set(4);
        metrics.spans.sent(2);
        metrics.spans.dropped(3);
        metrics.galleries.opened("g", 5);
        metrics.galleries.searched("g", 2, Duration::from_millis(1));
        let text = metrics.text().unwrap();
        for line in [
            "selfie_batches_total{model=\"m\",version=\"3\"} 1",
            "selfie_batch_size_sum{model=\"m\",version=\"3\"} 2",
            "selfie_items_total{model=\"m\",version=\"3\"} 2",
            "selfie_batch_rows_total{model=\"m\",version=\"3\"} 8",
            "selfie_padding_rows_total{model=\"m\",version=\"3\"} 3",
            "selfie_padding_ratio{model=\"m\",version=\"3\"} 0.375",
            "selfie_items_canceled_total{model=\"m\",version=\"3\"} 1",
            "selfie_items_expired_total{model=\"m\",version=\"3\"} 1",
            "selfie_batches_failed_total{model=\"m\",version=\"3\"} 1",
            "selfie_queue_depth{model=\"m\",version=\"3\"} 1",
            "selfie_queue_limit{model=\"m\",version=\"3\"} 7",
            "selfie_stage_duration_seconds_count{model=\"m\",stage=\"decode\",version=\"3\"} 1",
            "selfie_model_state{model=\"m\",state=\"READY\",version=\"3\"} 1",
            "selfie_requests_total{api=\"embeddings\",model=\"m\",outcome=\"canceled\",version=\"3\"} 1",
            "selfie_shadow_total{model=\"m\",outcome=\"dropped\",shadow=\"4\",version=\"3\"} 1",
            "selfie_shadow_cosine_bucket{model=\"m\",shadow=\"4\",version=\"3\",le=\"0.999\"} 0",
            "selfie_shadow_cosine_bucket{model=\"m\",shadow=\"4\",version=\"3\",le=\"0.9999\"} 1",
            "selfie_shadow_class_total{agrees=\"true\",model=\"m\",shadow=\"4\",version=\"3\"} 1",
            "selfie_http_requests_total{method=\"GET\",route=\"/v1/models\",status=\"200\"} 1",
            "selfie_grpc_requests_total{code=\"NotFound\",method=\"ModelInfer\"} 1",
            "selfie_gallery_vectors{gallery=\"g\"} 5",
            "selfie_search_queries_total{gallery=\"g\"} 2",
            "selfie_search_duration_seconds_count{gallery=\"g\"} 1",
            "selfie_in_flight 4",
            "selfie_spans_sent_total 2",
            "selfie_spans_dropped_total 3",
            "selfie_build_info{",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
