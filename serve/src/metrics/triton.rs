//! The counters under the names that Triton gives them, for dashboards and `perf_analyzer --collect-metrics` (option
//! `metrics_compat`). They count since a model was loaded.
//!
//! # Source
//! Triton Inference Server, `docs/user_guide/metrics.md`: inference request and count metrics.

use super::{MODEL, ModelMetrics, Total, broken, register};
use crate::Error;
use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

/// What a counter shows of a model.
type Read = fn(&ModelMetrics) -> u64;

const COUNTERS: &[(&str, &str, Read)] = &[
    ("nv_inference_request_success", "Requests that were answered.", |model| snapshot(model).success.count),
    ("nv_inference_count", "Items that were run, batched or not.", |model| snapshot(model).items()),
    ("nv_inference_exec_count", "Batches that were run.", |model| snapshot(model).infer.count),
    ("nv_inference_request_duration_us", "Time of requests that were answered.", |model| us(snapshot(model).success)),
    ("nv_inference_queue_duration_us", "Time in the queue.", |model| us(snapshot(model).queue)),
    ("nv_inference_compute_input_duration_us", "Time to prepare inputs.", |model| us(snapshot(model).decode)),
    ("nv_inference_compute_infer_duration_us", "Time in the runtime.", |model| us(snapshot(model).infer)),
    ("nv_inference_compute_output_duration_us", "Always 0: part of the runtime's time.", |_| 0),
];

fn snapshot(model: &ModelMetrics) -> super::Snapshot {
    model.statistics().snapshot()
}

fn us(total: Total) -> u64 {
    total.ns / 1000
}

/// The counters of these models as text.
///
/// # Errors
/// [`Error::Server`] when a metric cannot be written.
pub fn text<'a>(models: impl Iterator<Item = &'a ModelMetrics> + Clone) -> Result<String, Error> {
    let registry = Registry::new();
    for (name, help, read) in COUNTERS {
        let counter = register(&registry, IntCounterVec::new(Opts::new(*name, *help), &MODEL))?;
        for model in models.clone() {
            counter.with_label_values(&model.labels()).inc_by(read(model));
        }
    }
    let help = Opts::new("nv_inference_request_failure", "Requests that failed, by reason.");
    let failure = register(&registry, IntCounterVec::new(help, &["model", "version", "reason"]))?;
    let help = Opts::new("nv_inference_pending_request_count", "Items that wait.");
    let pending = register(&registry, IntGaugeVec::new(help, &MODEL))?;
    for model in models {
        let [name, version] = model.labels();
        for (outcome, count) in model.failures() {
            failure.with_label_values(&[name, version, reason(&outcome)]).inc_by(count);
        }
        pending.with_label_values(&[name, version]).set(model.waiting());
    }
    TextEncoder::new().encode_to_string(&registry.gather()).map_err(broken)
}

/// Triton's reason for one of our outcomes.
fn reason(outcome: &str) -> &'static str {
    match outcome {
        "rejected" | "timeout" => "REJECTED",
        "canceled" => "CANCELED",
        "backend" => "BACKEND",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Metrics, Stage};
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_counters_have_tritons_names() {
        let metrics = Metrics::new().unwrap();
        let (one, other) = (metrics.model("m", 3), metrics.model("n", 1));
        one.batch(4, Duration::from_millis(5));
        one.stage(Stage::Queue, Duration::from_micros(70));
        one.queue_depth("5", 2);
        one.track("infer").end(Ok(())).unwrap();
        for error in [Error::Draining, Error::Timeout { model: "m".into() }, Error::Timeout { model: "m".into() }] {
            one.track("infer").end::<()>(Err(error)).unwrap_err();
        }
        drop(one.track("embeddings"));
        drop(other.track("embeddings"));
        let text = text([&one, &other].into_iter()).unwrap();
        for line in [
            "# TYPE nv_inference_request_success counter",
            "nv_inference_request_success{model=\"m\",version=\"3\"} 1",
            "nv_inference_request_success{model=\"n\",version=\"1\"} 0",
            "nv_inference_count{model=\"m\",version=\"3\"} 4",
            "nv_inference_exec_count{model=\"m\",version=\"3\"} 1",
            "nv_inference_queue_duration_us{model=\"m\",version=\"3\"} 70",
            "nv_inference_compute_infer_duration_us{model=\"m\",version=\"3\"} 5000",
            "nv_inference_pending_request_count{model=\"m\",version=\"3\"} 2",
            "nv_inference_request_failure{model=\"m\",reason=\"REJECTED\",version=\"3\"} 2",
            "nv_inference_request_failure{model=\"m\",reason=\"CANCELED\",version=\"3\"} 1",
            "nv_inference_request_failure{model=\"m\",reason=\"OTHER\",version=\"3\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
