//! The span of a call.
//!
//! # Source
//! OpenTelemetry's semantic conventions for RPC and gRPC, version 1.45.

use crate::trace::{Begun, Parent, Span, TRACEPARENT, TRACESTATE, Tracer};
use std::time::Instant;
use tonic::Code;
use tonic::body::Body;
use tonic::codegen::http::{HeaderValue, Request};

/// Begins the trace of a call, or goes on with the sender's. The service finds the span among the call's extensions.
/// `is_known` says that there is such a call.
pub fn begin(tracer: &Tracer, request: &mut Request<Body>, is_known: bool, id: &str, start: Instant) -> Begun {
    let values = |name| request.headers().get_all(name).into_iter().map(HeaderValue::as_bytes);
    let parent = Parent::read(values(TRACEPARENT), values(TRACESTATE));
    let mut begun = tracer.begin(parent.as_ref(), start);
    if let Some(span) = &mut begun.span {
        let method = request.uri().path().trim_start_matches('/');
        span.rename(if is_known { method } else { "grpc" });
        span.set("rpc.system.name", "grpc");
        span.set("rpc.method", if is_known { method } else { "_OTHER" });
        span.set("selfie.request_id", id);
        request.extensions_mut().insert(span.context().clone());
    }
    begun
}

/// Ends the span. Which codes are errors of the server the conventions say.
pub fn end(mut span: Span, code: Code, message: &str) {
    let name = name(code);
    span.set("rpc.response.status_code", name.as_str());
    if matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    ) {
        span.fail(&name, message);
    }
    span.end(Instant::now());
}

/// The name of a code as gRPC writes it, `NOT_FOUND`.
fn name(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_names_of_grpc() {
        for (code, expected) in [
            (Code::Ok, "OK"),
            (Code::InvalidArgument, "INVALID_ARGUMENT"),
            (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
        ] {
            assert_eq!(name(code), expected);
        }
    }
}
