//! `GET /v2/models/{model}[/versions/{version}|/labels/{label}]/ready`: whether a model is served.
//!
//! # Source
//! KServe open inference protocol, version 2.

use super::envelope::KServe;
use super::v2_model::{Named, paths};
use super::{App, resource};
use crate::Error;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path, ServiceConfig};
use serde_json::json;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    for path in paths("/ready") {
        config.service(resource(&path, "GET").route(web::get().to(ready)));
    }
}

async fn ready(app: Data<App>, named: Path<Named>) -> Result<HttpResponse, KServe> {
    let served = named.find(&app)?;
    if served.is_broken() {
        return Err(Error::Loading { model: served.name.clone() }.into());
    }
    Ok(HttpResponse::Ok().json(json!({"name": served.name, "ready": true})))
}
