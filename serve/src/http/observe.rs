//! Around every request: its id, its key, the metrics, the log, the refusal while the server stops.

use super::{App, Phase, refuse};
use crate::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tracing::Instrument;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Counts and times the request, asks for its key, and gives its response an `x-request-id`: the client's, or a new one.
/// Everything that is logged on its way carries the id.
///
/// # Errors
/// Only what the framework itself could not turn into a response.
pub async fn observe(
    app: Data<App>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let start = Instant::now();
    let flight = app.enter_flight();
    // The template, since raw paths would make one metric for each model name that anybody thinks of.
    let route = request.match_pattern().unwrap_or_else(|| "_unknown".to_owned());
    let method = request.method().clone();
    let id = request_id(&request);
    let span = tracing::error_span!("request", id = id.to_str().unwrap_or_default(), %method, route);
    let mut response = match refusal(&app, &request) {
        Some(error) => {
            let (request, _) = request.into_parts();
            let refusal = refuse(&request, error);
            ServiceResponse::new(request, refusal)
        }
        None => next.call(request).instrument(span.clone()).await?.map_into_boxed_body(),
    };
    let took = start.elapsed();
    let status = response.status().as_u16();
    timing(response.headers_mut(), took);
    response.headers_mut().insert(REQUEST_ID, id);
    app.metrics.http.observe(&route, method.as_str(), status, took);
    let took_ms = took.as_secs_f64() * 1e3;
    let _inside = span.enter();
    match app.config.log_requests {
        true => tracing::info!(status, took_ms, "answered"),
        false => tracing::debug!(status, took_ms, "answered"),
    }
    drop(flight);
    Ok(response)
}

/// Why the request goes no further, if it does not.
fn refusal(app: &App, request: &ServiceRequest) -> Option<Error> {
    if let Err(error) = app.access.inference(request.path(), request.headers()) {
        return Some(error);
    }
    (app.phase() == Phase::Stopping && request.method() == Method::POST).then_some(Error::Draining)
}

/// Adds the whole time to a `Server-Timing` that is there.
fn timing(headers: &mut HeaderMap, took: Duration) {
    let Some(stages) = headers.get(SERVER_TIMING).and_then(|value| value.to_str().ok()) else { return };
    let whole = format!("{stages}, total;dur={:.3}", took.as_secs_f64() * 1e3);
    if let Ok(value) = HeaderValue::from_str(&whole) {
        headers.insert(SERVER_TIMING, value);
    }
}

fn request_id(request: &ServiceRequest) -> HeaderValue {
    let given = request.headers().get(REQUEST_ID).filter(|id| !id.is_empty() && id.len() <= 128 && id.to_str().is_ok());
    given.cloned().unwrap_or_else(new_id)
}

/// A random start for the process and a count: different from every other id that is about.
fn new_id() -> HeaderValue {
    static START: std::sync::LazyLock<u64> = std::sync::LazyLock::new(|| RandomState::new().hash_one("request id"));
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let id = format!("{:016x}-{:x}", *START, COUNT.fetch_add(1, Ordering::Relaxed));
    HeaderValue::from_str(&id).unwrap_or_else(|_| HeaderValue::from_static("-"))
}
