//! `GET /v1/models/{model}`: one model that is served, or as `{model}:{label}` one of its versions, in the words of OpenAI's API,
//! with what only this server knows: its card, its runtime, and what its golden samples gave when it was loaded.

use super::envelope::OpenAi;
use super::models::Model;
use super::{App, resource};
use crate::engine::Which;
use crate::model::Proof;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use selfie_models::Card;
use serde::Serialize;

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/v1/models/{model}", "GET").route(web::get().to(model)));
}

#[derive(Serialize)]
struct Response<'a> {
    #[serde(flatten)]
    model: Model<'a>,
    version: u64,
    runtime: &'static str,
    /// Why this runtime and this device.
    reason: &'a str,
    golden: &'a [Proof],
    card: &'a Card,
}

async fn model(app: Data<App>, name: Path<String>) -> Result<HttpResponse, OpenAi> {
    let served = app.engine.find(Some(&name), Which::Usual)?;
    let choice = &served.model.choice;
    Ok(HttpResponse::Ok().json(Response {
        model: Model::of(name.as_str(), &served),
        version: served.version,
        runtime: choice.runtime,
        reason: &choice.reason,
        golden: &served.model.proofs,
        card: served.model.card(),
    }))
}
