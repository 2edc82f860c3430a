//! `GET /v2/models/stats` and `/v2/models/{model}[/versions/{version}]/stats`: counts and times since a model was loaded.
//!
//! `inference_count` counts items and `execution_count` batches: their ratio is the mean batch size. `queue` counts items,
//! `compute_input` images that the server prepared, `compute_infer` batches. Nothing is cached, and outputs are handed on
//! within `compute_infer`, so `cache_hit`, `cache_miss` and `compute_output` stay 0.
//!
//! # Source
//! Triton's statistics extension.

use super::envelope::KServe;
use super::v2_model::Named;
use super::{App, resource};
use crate::engine::Served;
use crate::metrics::Total;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use serde::Serialize;
use serde_json::{Value, json};

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/v2/models/stats", "GET").route(web::get().to(all)));
    for path in ["/v2/models/{model}/stats", "/v2/models/{model}/versions/{version}/stats"] {
        config.service(resource(path, "GET").route(web::get().to(one)));
    }
}

#[derive(Serialize)]
struct Response<'a> {
    model_stats: Vec<ModelStats<'a>>,
}

#[derive(Serialize)]
struct ModelStats<'a> {
    name: &'a str,
    version: String,
    last_inference: u64,
    inference_count: u64,
    execution_count: u64,
    inference_stats: InferenceStats,
    batch_stats: Vec<BatchStats>,
    response_stats: Value,
    memory_usage: [u64; 0],
}

#[derive(Serialize)]
struct InferenceStats {
    success: Total,
    fail: Total,
    queue: Total,
    compute_input: Total,
    compute_infer: Total,
    compute_output: Total,
    cache_hit: Total,
    cache_miss: Total,
}

#[derive(Serialize)]
struct BatchStats {
    batch_size: usize,
    compute_input: Total,
    compute_infer: Total,
    compute_output: Total,
}

async fn all(app: Data<App>) -> HttpResponse {
    let slots = app.engine.slots();
    let served = slots.values().filter_map(|slot| slot.served.as_ref());
    HttpResponse::Ok().json(Response { model_stats: served.map(|served| stats(served)).collect() })
}

async fn one(app: Data<App>, named: Path<Named>) -> Result<HttpResponse, KServe> {
    let served = named.find(&app)?;
    Ok(HttpResponse::Ok().json(Response { model_stats: vec![stats(&served)] }))
}

fn stats(served: &Served) -> ModelStats<'_> {
    let snapshot = served.metrics.statistics().snapshot();
    let none = Total::default();
    let batch = |(batch_size, compute_infer): (&usize, &Total)| BatchStats {
        batch_size: *batch_size,
        compute_input: none,
        compute_infer: *compute_infer,
        compute_output: none,
    };
    ModelStats {
        name: &served.name,
        version: served.version.to_string(),
        last_inference: snapshot.last_inference_ms,
        inference_count: snapshot.items(),
        execution_count: snapshot.infer.count,
        inference_stats: InferenceStats {
            success: snapshot.success,
            fail: snapshot.fail,
            queue: snapshot.queue,
            compute_input: snapshot.decode,
            compute_infer: snapshot.infer,
            compute_output: none,
            cache_hit: none,
            cache_miss: none,
        },
        batch_stats: snapshot.batches.iter().map(batch).collect(),
        response_stats: json!({}),
        memory_usage: [],
    }
}
