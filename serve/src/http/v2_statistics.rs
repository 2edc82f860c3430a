//! `GET /v2/models/stats` and `/v2/models/{model}[/versions/{version}]/stats`: counts and times since a model was loaded.
//!
//! # Source
//! Triton's statistics extension.

use super::envelope::KServe;
use super::v2_model::Named;
use super::{App, resource};
use crate::protocol::{self, ModelStats};
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use serde::Serialize;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/v2/models/stats", "GET").route(web::get().to(all)));
    for path in ["/v2/models/{model}/stats", "/v2/models/{model}/versions/{version}/stats"] {
        config.service(resource(path, "GET").route(web::get().to(one)));
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
    let served = named.find(&app)?;
    Ok(HttpResponse::Ok().json(Response { model_stats: vec![protocol::statistics(&served)] }))
}
