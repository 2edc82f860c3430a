//! The counters under the names that Triton gives them, for dashboards and `perf_analyzer --collect-metrics` (option
//! `metrics_compat`). They count since a model was loaded. Durations are of requests, each counted once however many images it has,
//! so that queue, input, infer and output are parts of the time of the request, as with Triton.
//!
//! # Source
//! Triton Inference Server, `docs/user_guide/metrics.md`: inference request, count and latency metrics, response cache metrics.

use super::{MODEL, ModelMetrics, broken, register};
use crate::Error;
use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

/// What a counter shows of a model.
type Read = fn(&ModelMetrics) -> u64;

const COUNTERS: &[(&str, &str, Read)] = &[
    ("nv_inference_request_success", "Requests that were answered.", |model| snapshot(model).success.count),
    ("nv_inference_count", "Items that were run, batched or not.", |model| snapshot(model).items()),
    ("nv_inference_exec_count", "Batches that were run.", |model| snapshot(model).infer.count),
    ("nv_inference_request_duration_us", "Time of requests that were answered.", |model| {
        us(snapshot(model).success.ns)
    }),
    ("nv_inference_queue_duration_us", "Time that requests waited.", |model| us(snapshot(model).requests.queue_ns)),
    ("nv_inference_compute_input_duration_us", "Time that requests took to be decoded.", |model| {
        us(snapshot(model).requests.decode_ns)
    }),
    ("nv_inference_compute_infer_duration_us", "Time that requests were in the runtime.", |model| {
        us(snapshot(model).requests.infer_ns)
    }),
    ("nv_inference_compute_output_duration_us", "Always 0: part of the runtime's time.", |_| 0),
];

/// Those that there are with a cache alone.
const CACHE_COUNTERS: &[(&str, &str, Read)] = &[
    ("nv_cache_num_hits_per_model", "Images that were answered from the cache.", |model| snapshot(model).hit.count),
    ("nv_cache_num_misses_per_model", "Images that were not in the cache.", |model| snapshot(model).miss.count),
];

fn snapshot(model: &ModelMetrics) -> super::Snapshot {
    model.statistics().snapshot()
}

fn us(ns: u64) -> u64 {
    ns / 1000
}

/// The counters of these models as text, those of the cache where there is one.
///
/// # Errors
/// [`Error::Server`] when a metric cannot be written.
pub fn text<'a>(models: impl Iterator<Item = &'a ModelMetrics> + Clone, has_cache: bool) -> Result<String, Error> {
    let registry = Registry::new();
    let of_cache = CACHE_COUNTERS.iter().filter(|_| has_cache);
    for (name, help, read) in COUNTERS.iter().chain(of_cache) {
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
        one.stage(Stage::Queue, Duration::from_micros(900));
        for (stage, us) in [(Stage::Wait, 30), (Stage::Decode, 200), (Stage::Queue, 40), (Stage::Infer, 5000)] {
            one.request_stage(stage, Duration::from_micros(us));
        }
        one.looked(true, Duration::from_micros(2));
        one.queue_depth("5", 2);
        one.track("infer").end(Ok(())).unwrap();
        for error in [Error::Draining, Error::Timeout { model: "m".into() }, Error::Timeout { model: "m".into() }] {
            one.track("infer").end::<()>(Err(error)).unwrap_err();
        }
        drop(one.track("embeddings"));
        drop(other.track("embeddings"));
        let without = text([&one, &other].into_iter(), false).unwrap();
        assert!(without.contains("nv_inference_count") && !without.contains("nv_cache"), "{without}");
        let text = text([&one, &other].into_iter(), true).unwrap();
        for line in [
            "# TYPE nv_inference_request_success counter",
            "nv_inference_request_success{model=\"m\",version=\"3\"} 1",
            "nv_inference_request_success{model=\"n\",version=\"1\"} 0",
            "nv_inference_count{model=\"m\",version=\"3\"} 4",
            "nv_inference_exec_count{model=\"m\",version=\"3\"} 1",
            "nv_inference_queue_duration_us{model=\"m\",version=\"3\"} 70",
            "nv_inference_compute_input_duration_us{model=\"m\",version=\"3\"} 200",
            "nv_inference_compute_infer_duration_us{model=\"m\",version=\"3\"} 5000",
            "nv_cache_num_hits_per_model{model=\"m\",version=\"3\"} 1",
            "nv_cache_num_misses_per_model{model=\"m\",version=\"3\"} 0",
            "nv_inference_pending_request_count{model=\"m\",version=\"3\"} 2",
            "nv_inference_request_failure{model=\"m\",reason=\"REJECTED\",version=\"3\"} 2",
            "nv_inference_request_failure{model=\"m\",reason=\"CANCELED\",version=\"3\"} 1",
            "nv_inference_request_failure{model=\"m\",reason=\"OTHER\",version=\"3\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
