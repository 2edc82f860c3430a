//! `GET /v2/health/live` and `/v2/health/ready`: for those who start and stop servers.
//!
//! The server is ready when every model is served that was there at the start or has been served since, and it is not shutting down.
//! With `--strict-readiness` every model of the store counts.

use super::{App, resource};
use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};
use serde_json::json;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    live_alone(config);
    config.service(resource("/v2/health/ready", "GET").route(web::get().to(ready)));
}

/// Adds the route that needs no models.
pub fn live_alone(config: &mut ServiceConfig) {
    config.service(resource("/v2/health/live", "GET").route(web::get().to(live)));
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"live": true}))
}

async fn ready(app: Data<App>) -> HttpResponse {
    let ready = app.is_ready();
    let mut response = if ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(json!({"ready": ready}))
}
