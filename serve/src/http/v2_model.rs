//! `GET /v2/models/{model}[/versions/{version}]`: names, types and shapes of a model's inputs and outputs.
//!
//! # Source
//! KServe open inference protocol, version 2.

use super::envelope::KServe;
use super::{App, resource};
use crate::Error;
use crate::engine::Served;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use selfie_models::card::InputDtype;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    for path in ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"] {
        config.service(resource(path, "GET").route(web::get().to(metadata)));
    }
}

/// The model that a path names.
#[derive(Deserialize)]
pub struct Named {
    model: String,
    version: Option<String>,
}

impl Named {
    /// The model itself.
    ///
    /// # Errors
    /// The name or the version is unknown, or the model was refused.
    pub fn find(&self, app: &App) -> Result<Arc<Served>, Error> {
        let version = self.version.as_deref().map(str::parse::<u64>).transpose().map_err(|_| {
            let version = self.version.as_deref().unwrap_or_default();
            Error::invalid("version", format!("version \"{version}\" is not a whole number"))
        })?;
        app.engine.find(Some(&self.model), version)
    }
}

#[derive(Serialize)]
struct Response<'a> {
    name: &'a str,
    versions: [String; 1],
    platform: String,
    inputs: [Tensor<'a>; 1],
    outputs: Vec<Tensor<'a>>,
}

#[derive(Serialize)]
struct Tensor<'a> {
    name: &'a str,
    datatype: &'static str,
    /// -1 stands for any size.
    shape: Vec<i64>,
}

/// The protocol's name of the type of a model's input.
pub fn datatype(dtype: InputDtype) -> &'static str {
    match dtype {
        InputDtype::F32 => "FP32",
        InputDtype::U8 => "UINT8",
    }
}

async fn metadata(app: Data<App>, named: Path<Named>) -> Result<HttpResponse, KServe> {
    let served = named.find(&app)?;
    let file = &served.model.file;
    let card = &file.card;
    let batch = file.fixed_batch.map_or(-1, |batch| batch as i64);
    let shape = |sides: &[usize]| [batch].into_iter().chain(sides.iter().map(|side| *side as i64)).collect();
    let [_, sides @ ..] = card.input.shape(0);
    let input = Tensor { name: &card.input.name, datatype: datatype(card.input.dtype), shape: shape(&sides) };
    let output = |(name, width)| Tensor { name, datatype: "FP32", shape: shape(&[width]) };
    Ok(HttpResponse::Ok().json(Response {
        name: &served.name,
        versions: [served.version.to_string()],
        platform: format!("{}_onnx", served.model.choice.runtime),
        inputs: [input],
        outputs: file.output_names().into_iter().zip(file.output_widths()).map(output).collect(),
    }))
}
