//! `POST /v2/models/{model}[/versions/{version}|/labels/{label}]/infer`: tensors in, tensors out, in JSON or raw (extension
//! `binary_tensor_data`).
//!
//! Beside the model's own input type (FP32 or UINT8, `[batch, ..]`) the input may be BYTES of shape `[batch]`: encoded
//! images, in JSON as base64, which the server decodes and prepares (extension `image_bytes`). An output may be asked for
//! as its best classes (extension `classification`).
//!
//! # Source
//! KServe open inference protocol, version 2; Triton's extensions of the same names.

mod asked;
mod body;
mod input;
mod output;

pub use asked::Asked;
pub use body::cut;

use super::envelope::KServe;
use super::v2_model::{Named, paths};
use super::{App, answered, resource, terms};
use crate::engine::Laps;
use crate::metrics::Stage;
use actix_web::web::{self, Data, Path, Payload, ServiceConfig};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    for path in paths("/infer") {
        config.service(resource(&path, "POST").route(web::post().to(infer)));
    }
}

async fn infer(
    app: Data<App>,
    named: Path<Named>,
    http: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, KServe> {
    let (served, tracked) = app.track(named.route(&app), "infer")?;
    let mut laps = Laps::start();
    let result = async {
        let body = body::read(&http, payload, &app.config).await?;
        laps.lap(Stage::Receive);
        let asked = Asked::of(&served, body)?;
        laps.lap(Stage::Parse);
        let terms = terms::terms(&app.config, &http, asked.timeout_us, asked.priority)?;
        let answers = asked.tensor.run(&served, terms).await?;
        Ok((asked.id, asked.outputs, answers))
    };
    let result = result.await;
    // Where the request fails, its answer tells the time of these stages nevertheless.
    http.extensions_mut().insert(laps.timing);
    let (id, outputs, answers) = tracked.end(result)?;
    Ok(answered(&served, laps.timing.max(answers.timing), |http| output::write(&served, id, &outputs, &answers, http))?)
}
