//! `GET /metrics`: for Prometheus, under our names and on demand under Triton's as well.

use super::envelope::OpenAi;
use super::{App, resource};
use crate::config::MetricsCompat;
use crate::metrics::triton;
use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/metrics", "GET").route(web::get().to(metrics)));
}

async fn metrics(app: Data<App>) -> Result<HttpResponse, OpenAi> {
    let mut text = app.metrics.text()?;
    match app.config.metrics_compat {
        MetricsCompat::None => {}
        MetricsCompat::Triton => {
            let served = app.engine.served();
            text.push_str(&triton::text(served.iter().map(|served| &served.metrics))?);
        }
    }
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}
