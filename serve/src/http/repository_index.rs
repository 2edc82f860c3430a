//! `POST /v2/repository/index`: every version that the server knows, with its state and why it is in it.
//!
//! # Source
//! Triton's model repository extension.

use super::envelope::KServe;
use super::{App, body, null, resource};
use crate::protocol;
use actix_web::web::{self, Data, Payload, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/v2/repository/index", "POST").route(web::post().to(index)));
}

#[derive(Default, Deserialize)]
#[serde(expecting = "an object")]
struct Request {
    /// Whether only versions that answer are wanted.
    #[serde(default, deserialize_with = "null::or_default")]
    ready: bool,
}

async fn index(app: Data<App>, http: HttpRequest, payload: Payload) -> Result<HttpResponse, KServe> {
    let request: Request = body::json_or_nothing(&body::read(&http, payload, &app.config).await?)?;
    Ok(HttpResponse::Ok().json(protocol::index(&app.engine, request.ready)))
}
