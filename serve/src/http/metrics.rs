//! `GET /metrics`: for Prometheus.

use super::envelope::OpenAi;
use super::{App, resource};
use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/metrics", "GET").route(web::get().to(metrics)));
}

async fn metrics(app: Data<App>) -> Result<HttpResponse, OpenAi> {
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(app.metrics.text()?))
}
