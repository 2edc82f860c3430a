//! The span of a request.
//!
//! # Source
//! OpenTelemetry's semantic conventions for HTTP servers.

use super::method::{self, OTHER};
use crate::trace::{Begun, Parent, Span, TRACEPARENT, TRACESTATE, Tracer};
use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::Version;
use actix_web::http::header::{HeaderValue, USER_AGENT};
use std::time::Instant;

/// Begins the trace of a request, or goes on with the sender's. The handler finds the span among the request's extensions.
pub fn begin(tracer: &Tracer, request: &ServiceRequest, id: &str, start: Instant) -> Begun {
    let values = |name| request.headers().get_all(name).map(HeaderValue::as_bytes);
    let parent = Parent::read(values(TRACEPARENT), values(TRACESTATE));
    let mut begun = tracer.begin(parent.as_ref(), start);
    if let Some(span) = &mut begun.span {
        describe(span, request, id);
        request.extensions_mut().insert(span.context().clone());
    }
    begun
}

fn describe(span: &mut Span, request: &ServiceRequest, id: &str) {
    let given = request.method().as_str();
    let method = method::name(given);
    span.set("http.request.method", method);
    if method == OTHER {
        span.set("http.request.method_original", given);
    }
    let name = if method == OTHER { "HTTP" } else { method };
    match request.match_pattern() {
        Some(route) => {
            span.rename(format!("{name} {route}"));
            span.set("http.route", route.as_str());
        }
        None => span.rename(name),
    }
    span.set("url.path", request.path());
    span.set("url.scheme", request.connection_info().scheme());
    let version = match request.version() {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    };
    span.set("network.protocol.version", version);
    if let Some(agent) = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()) {
        span.set("user_agent.original", agent);
    }
    span.set("selfie.request_id", id);
}

/// Ends the span. A request that was refused for its own fault is no error of the server.
pub fn end(mut span: Span, status: u16) {
    span.set("http.response.status_code", usize::from(status));
    if status >= 500 {
        span.fail(&status.to_string(), "");
    }
    span.end(Instant::now());
}
