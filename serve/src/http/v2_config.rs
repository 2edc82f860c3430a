//! `GET /v2/models/{model}[/versions/{version}|/labels/{label}]/config`: how a model is served, in the words of Triton's
//! configuration.
//!
//! # Source
//! Triton's model configuration extension; its `ModelConfig` message as JSON.

use super::envelope::KServe;
use super::v2_model::{Named, paths};
use super::{App, resource};
use crate::protocol::{self, datatype};
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use serde_json::{Value, json};

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    for path in paths("/config") {
        config.service(resource(&path, "GET").route(web::get().to(model_config)));
    }
}

async fn model_config(app: Data<App>, named: Path<Named>) -> Result<HttpResponse, KServe> {
    let served = named.find(&app)?;
    let config = protocol::model_config(&app.engine, &served, &app.config);
    let output = |(name, width): &(&str, usize)| -> Value {
        json!({"name": name, "data_type": "TYPE_FP32", "dims": [width], "label_filename": ""})
    };
    let group = match config.gpu {
        None => json!({"name": config.name, "kind": "KIND_CPU", "count": config.at_once, "gpus": []}),
        Some(gpu) => json!({"name": config.name, "kind": "KIND_GPU", "count": config.at_once, "gpus": [gpu]}),
    };
    let policy = match &config.versions {
        None => json!({"latest": {"num_versions": 1}}),
        Some(versions) => json!({"specific": {"versions": versions}}),
    };
    Ok(HttpResponse::Ok().json(json!({
        "name": config.name,
        "platform": config.platform,
        "backend": config.backend,
        "version_policy": policy,
        "max_batch_size": config.max_batch_size,
        "input": [{
            "name": config.input.name,
            "data_type": format!("TYPE_{}", datatype(config.input.dtype)),
            "format": config.format,
            "dims": config.dims,
        }],
        "output": config.outputs.iter().map(output).collect::<Vec<_>>(),
        "instance_group": [group],
        "default_model_filename": "model.onnx",
        "dynamic_batching": {
            "max_queue_delay_microseconds": 0,
            "default_queue_policy": {"timeout_action": "REJECT", "max_queue_size": config.max_queue_size},
        },
        "parameters": {
            "runtime_reason": {"string_value": config.runtime_reason},
            "batch_buckets": {"string_value": config.batch_buckets},
        },
    })))
}
