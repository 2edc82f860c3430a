//! `GET /metrics`: for Prometheus, under our names and on demand under Triton's as well; as OpenMetrics for those who ask for it.

use super::envelope::OpenAi;
use super::{App, resource};
use crate::config::MetricsCompat;
use crate::metrics::{openmetrics, triton};
use actix_web::HttpResponse;
use actix_web::http::header::{Accept, VARY};
use actix_web::web::{self, Data, Header, ServiceConfig};

/// Adds the route.
pub fn configure(config: &mut ServiceConfig) {
    config.service(resource("/metrics", "GET").route(web::get().to(metrics)));
}

async fn metrics(app: Data<App>, accept: Option<Header<Accept>>) -> Result<HttpResponse, OpenAi> {
    let mut text = app.metrics.text()?;
    match app.config.metrics_compat {
        MetricsCompat::None => {}
        MetricsCompat::Triton => {
            let (served, has_cache) = (app.engine.served(), app.config.cache_bytes > 0);
            text.push_str(&triton::text(served.iter().map(|served| &served.metrics), has_cache)?);
        }
    }
    let mut response = HttpResponse::Ok();
    response.insert_header((VARY, "accept"));
    Ok(match accept.is_some_and(|accept| wants_openmetrics(&accept)) {
        true => response
            .content_type(format!("{}; version=1.0.0; charset=utf-8", openmetrics::MEDIA_TYPE))
            .body(openmetrics::text(&text, &app.metrics.http.exemplars)),
        false => response.content_type("text/plain; version=0.0.4; charset=utf-8").body(text),
    })
}

/// Whether OpenMetrics is what the client likes better than anything else that there is.
fn wants_openmetrics(accept: &Accept) -> bool {
    let known = |kind: &&str| [openmetrics::MEDIA_TYPE, "text/plain", "text/*", "*/*"].contains(kind);
    let ranked = accept.ranked();
    ranked.iter().map(|range| range.essence_str()).find(known) == Some(openmetrics::MEDIA_TYPE)
}
