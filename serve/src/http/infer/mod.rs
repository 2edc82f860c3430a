//! `POST /v2/models/{model}[/versions/{version}]/infer`: tensors in, tensors out, in JSON or raw (extension
//! `binary_tensor_data`).
//!
//! Beside the model's own input type (FP32 or UINT8, `[batch, ..]`) the input may be BYTES of shape `[batch]`: encoded
//! images, in JSON as base64, which the server decodes and prepares (extension `image_bytes`). An output may be asked for
//! as its best classes (extension `classification`).
//!
//! # Source
//! KServe open inference protocol, version 2; Triton's extensions of the same names.

mod body;
mod input;
mod output;

use super::envelope::KServe;
use super::v2_model::Named;
use super::{App, deadline, resource};
use crate::Error;
use crate::protocol::{self, Tensor};
use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use body::Body;
use input::Input;
use output::Wanted;
use serde::Deserialize;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    for path in ["/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer"] {
        config.service(resource(path, "POST").route(web::post().to(infer)));
    }
}

/// The JSON part of a request.
#[derive(Deserialize)]
struct Request {
    id: Option<String>,
    #[serde(default)]
    parameters: Parameters,
    inputs: Vec<Input>,
    #[serde(default)]
    outputs: Vec<Wanted>,
}

#[derive(Default, Deserialize)]
struct Parameters {
    /// Whether outputs come raw unless they say otherwise.
    #[serde(default)]
    binary_data_output: bool,
    /// Longest time to wait for the runtime, in microseconds; 0 for no limit.
    timeout: Option<u64>,
}

async fn infer(
    app: Data<App>,
    named: Path<Named>,
    http: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, KServe> {
    let served = named.find(&app)?;
    let tracked = served.metrics.track("infer");
    let result = async {
        let (id, timeout_us, outputs, tensor) = match body::read(&http, payload, &app.config).await? {
            Body::Json { json, tensors } => {
                let request: Request = serde_json::from_slice(&json)
                    .map_err(|error| Error::invalid("", format!("the JSON of the body is wrong: {error}")))?;
                let outputs = output::choose(&served, request.outputs, request.parameters.binary_data_output)?;
                let tensor = protocol::only(&served, request.inputs)?.with(tensors)?.tensor(&served)?;
                (request.id, request.parameters.timeout, outputs, tensor)
            }
            Body::Raw { tensor, is_image } => {
                (None, None, output::choose(&served, Vec::new(), true)?, Tensor::raw(&served, tensor, is_image)?)
            }
        };
        let until = deadline::until(&app.config, &http, timeout_us)?;
        let answers = tensor.run(&served, until).await?;
        Ok((id, outputs, answers))
    };
    let (id, outputs, answers) = tracked.end(result.await)?;
    Ok(output::response(&served, id, &outputs, &answers)?)
}
