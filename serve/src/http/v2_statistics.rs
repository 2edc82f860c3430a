//! `GET /v2/models/stats` and `/v2/models/{model}[/versions/{version}|/labels/{label}]/stats`: counts and times since a model was
//! loaded, of all its versions or of one.
//!
//! # Source
//! Triton's statistics extension.

use super::envelope::KServe;
use super::v2_model::{Named, paths};
use super::{App, resource};
use crate::protocol::{self, ModelStats};
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use serde::Serialize;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/v2/models/stats", "GET").route(web::get().to(all)));
    for path in paths("/stats") {
        config.service(resource(&path, "GET").route(web::get().to(one)));
    }
}

#[derive(Serialize)]
struct Response {
    model_stats: Vec<ModelStats>,
}

async fn all(app: Data<App>) -> HttpResponse {
    HttpResponse::Ok().json(Response { model_stats: protocol::all_statistics(&app.engine) })
}

async fn one(app: Data<App>, named: Path<Named>) -> Result<HttpResponse, KServe> {
    let model_stats = match named.alone() {
        Some(name) => protocol::model_statistics(&app.engine, name)?,
        None => vec![protocol::statistics(named.find(&app)?.as_ref())],
    };
    Ok(HttpResponse::Ok().json(Response { model_stats }))
}
