//! `GET /v2`: name, version and extensions of the server.
//!
//! # Source
//! KServe open inference protocol, version 2.

use super::resource;
use actix_web::HttpResponse;
use actix_web::web::{self, ServiceConfig};
use serde_json::json;

/// Extensions of the protocol: Triton's, and `image_bytes`, which takes encoded images as BYTES, see [`super::infer`].
const EXTENSIONS: [&str; 6] =
    ["binary_tensor_data", "classification", "model_configuration", "model_repository", "statistics", "image_bytes"];

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/v2", "GET").route(web::get().to(metadata)));
}

async fn metadata() -> HttpResponse {
    let version = env!("CARGO_PKG_VERSION");
    HttpResponse::Ok().json(json!({"name": "selfie", "version": version, "extensions": EXTENSIONS}))
}
