//! `GET /v2`: name, version and extensions of the server.
//!
//! # Source
//! KServe open inference protocol, version 2.

use super::resource;
use crate::protocol;
use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/v2", "GET").route(web::get().to(metadata)));
}

async fn metadata() -> HttpResponse {
    HttpResponse::Ok().json(protocol::server_metadata())
}
