//! `GET /v2/models/{model}[/versions/{version}]/config`: how a model is served, in the words of Triton's configuration.
//!
//! # Source
//! Triton's model configuration extension; its `ModelConfig` message as JSON.

use super::envelope::KServe;
use super::v2_model::{Named, datatype};
use super::{App, resource};
use crate::runtime::Device;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use selfie_models::card::Layout;
use serde_json::{Value, json};

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    for path in ["/v2/models/{model}/config", "/v2/models/{model}/versions/{version}/config"] {
        config.service(resource(path, "GET").route(web::get().to(model_config)));
    }
}

async fn model_config(app: Data<App>, named: Path<Named>) -> Result<HttpResponse, KServe> {
    let served = named.find(&app)?;
    let (model, file) = (&served.model, &served.model.file);
    let input = &file.card.input;
    // With a batch that is free the first axis is not among `dims`, as Triton has it.
    let [_, sides @ ..] = input.shape(0);
    let format = match input.layout {
        Layout::Nchw => "FORMAT_NCHW",
        Layout::Nhwc => "FORMAT_NHWC",
    };
    let output = |(name, width): (&str, usize)| -> Value {
        json!({"name": name, "data_type": "TYPE_FP32", "dims": [width], "label_filename": ""})
    };
    let outputs: Vec<Value> = file.output_names().into_iter().zip(file.output_widths()).map(output).collect();
    let group = match model.choice.device {
        Device::Auto | Device::Cpu => json!({"name": served.name, "kind": "KIND_CPU", "count": 1, "gpus": []}),
        Device::Cuda(gpu) => json!({"name": served.name, "kind": "KIND_GPU", "count": 1, "gpus": [gpu]}),
    };
    Ok(HttpResponse::Ok().json(json!({
        "name": served.name,
        "platform": format!("{}_onnx", model.choice.runtime),
        "backend": model.choice.runtime,
        "version_policy": {"latest": {"num_versions": 1}},
        "max_batch_size": served.max_batch_size(),
        "input": [{
            "name": input.name,
            "data_type": format!("TYPE_{}", datatype(input.dtype)),
            "format": format,
            "dims": sides,
        }],
        "output": outputs,
        "instance_group": [group],
        "default_model_filename": "model.onnx",
        "dynamic_batching": {
            "max_queue_delay_microseconds": 0,
            "default_queue_policy": {"timeout_action": "REJECT", "max_queue_size": app.config.max_queue_items},
        },
        "parameters": {"runtime_reason": {"string_value": model.choice.reason}},
    })))
}
