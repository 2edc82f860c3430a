//! Around every request: its id, its span, its key, the metrics, the log, the refusal while the server stops.

use super::{SERVER_TIMING, api, authorization, encoding, method, refuse, trace};
use crate::Error;
use crate::app::request_id::{self, RequestId, request_id};
use crate::app::{App, Phase};
use crate::engine::{Timing, with_total};
use actix_web::HttpMessage;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method};
use actix_web::middleware::Next;
use actix_web::web::Data;
use std::time::{Duration, Instant};
use tracing::Instrument;
use tracing::field::{Empty, display};

const REQUEST_ID: HeaderName = HeaderName::from_static(request_id::HEADER);

/// Counts and times the request, asks for its key, and gives its response an `x-request-id`: the client's, or a new one.
/// Everything that is logged on its way carries the id, and that of its trace.
///
/// # Errors
/// Only what the framework itself could not turn into a response.
pub async fn observe(
    app: Data<App>,
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let start = Instant::now();
    let flight = app.enter_flight();
    // The template, since raw paths would make one metric for each model name that anybody thinks of.
    let route = request.match_pattern().unwrap_or_else(|| "_unknown".to_owned());
    let method = method::name(request.method().as_str());
    let id = request_id(request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()));
    request.extensions_mut().insert(RequestId(id.clone()));
    let begun = app.tracer.as_ref().map(|tracer| trace::begin(tracer, &request, &id, start));
    let trace_id = begun.as_ref().map(|begun| display(begun.trace_id));
    let span = tracing::error_span!("request", id, trace_id, method, route, model = Empty, version = Empty);
    if request.method() == Method::HEAD {
        // It is answered as GET is, and the connection leaves the body out: RFC 9110, section 9.3.2.
        request.head_mut().method = Method::GET;
    }
    let mut response = match refusal(&app, &request) {
        Some(error) => {
            if let Some(api) = api::of(&route).filter(|_| request.method() == Method::POST) {
                app.metrics.unserved(api, &error);
            }
            let (request, _) = request.into_parts();
            let refusal = refuse(&request, error);
            ServiceResponse::new(request, refusal)
        }
        None => next.call(request).instrument(span.clone()).await?.map_into_boxed_body(),
    };
    let took = start.elapsed();
    let status = response.status().as_u16();
    timing(&mut response, took);
    encoding::strip(response.headers_mut());
    if app.phase() > Phase::Serving {
        // The next request goes over a connection of its own, to whoever is there then.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    let traced = begun.and_then(|begun| begun.span.map(|span| (begun.trace_id, span)));
    app.metrics.http.observe(&route, method, status, took, traced.as_ref().map(|(id, _)| *id));
    if let Some((_, span)) = traced {
        trace::end(span, status);
    }
    let took_ms = took.as_secs_f64() * 1e3;
    let _inside = span.enter();
    if app.is_slow(took) {
        let stages = response.headers().get(SERVER_TIMING).and_then(|stages| stages.to_str().ok());
        tracing::warn!(status, took_ms, stages, "answered slowly");
    } else if app.config.log_requests {
        tracing::info!(status, took_ms, "answered");
    } else {
        tracing::debug!(status, took_ms, "answered");
    }
    drop(flight);
    Ok(response)
}

/// Why the request goes no further, if it does not.
fn refusal(app: &App, request: &ServiceRequest) -> Option<Error> {
    if let Err(error) = app.access.inference(request.path(), authorization(request.headers())) {
        return Some(error);
    }
    if let Some(error) = encoding::refusal(request) {
        return Some(error);
    }
    (app.phase() == Phase::Stopping && request.method() == Method::POST).then_some(Error::Draining)
}

/// Adds the whole time to the stages that the answer tells or, where it is an error, that the request had behind it.
fn timing(response: &mut ServiceResponse<BoxBody>, took: Duration) {
    let told = response.headers().get(SERVER_TIMING).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let behind = || response.request().extensions().get::<Timing>().map(Timing::header);
    let whole = with_total(&told.or_else(behind).unwrap_or_default(), took);
    if let Ok(value) = HeaderValue::from_str(&whole) {
        response.headers_mut().insert(SERVER_TIMING, value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::configure;
    use super::*;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, call_service, init_service};

    #[actix_web::test]
    async fn requests_that_come_while_the_server_stops_count_as_draining() {
        let store = tempfile::tempdir().unwrap();
        let app = Data::new(App::example(store.path()));
        let service = actix_web::App::new().app_data(app.clone()).wrap(from_fn(observe)).configure(configure);
        let service = init_service(service).await;
        app.enter(Phase::Stopping);
        for (path, api) in [
            ("/v1/embeddings", "embeddings"),
            ("/v1/classify", "classify"),
            ("/predict", "predict"),
            ("/similarity", "similarity"),
            ("/v1/search", "search"),
            ("/v2/models/pooling/infer", "infer"),
        ] {
            let response = call_service(&service, TestRequest::post().uri(path).to_request()).await;
            assert_eq!(response.status(), 503, "{path}");
            let text = app.metrics.text().unwrap();
            let labels = format!("{{api=\"{api}\",model=\"_unknown\",outcome=\"draining\",version=\"_unknown\"}}");
            assert!(text.contains(&format!("selfie_requests_total{labels} 1\n")), "{path}: {text}");
        }
        call_service(&service, TestRequest::post().uri("/v2/repository/index").to_request()).await;
        call_service(&service, TestRequest::get().uri("/v1/models").to_request()).await;
        let text = app.metrics.text().unwrap();
        assert_eq!(text.matches("\nselfie_requests_total{").count(), 6, "only inference is counted: {text}");
    }
}
