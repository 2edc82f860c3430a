//! `GET` and `POST /v2/logging`: what the log shows, for administrators.
//!
//! # Source
//! Triton's logging extension.

use super::envelope::KServe;
use super::{App, administrator, body, resource};
use crate::protocol::{self, LogValue};
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use std::collections::BTreeMap;

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    let resource = resource("/v2/logging", "GET, POST");
    config.service(resource.route(web::get().to(settings)).route(web::post().to(update)));
}

async fn settings(app: Data<App>, http: HttpRequest) -> Result<HttpResponse, KServe> {
    administrator(&app, &http)?;
    Ok(HttpResponse::Ok().json(protocol::log_settings()?))
}

async fn update(app: Data<App>, http: HttpRequest, payload: Payload) -> Result<HttpResponse, KServe> {
    administrator(&app, &http)?;
    let body = body::read(&http, payload, &app.config).await?;
    let changes: BTreeMap<String, LogValue> = body::json(&body)?;
    Ok(HttpResponse::Ok().json(protocol::update_log(changes)?))
}
