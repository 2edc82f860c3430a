//! Errors as gRPC statuses.

use crate::Error;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

/// When to try again, in milliseconds; clients of gRPC obey it.
///
/// # Source
/// gRFC A6, server pushback.
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// The status of an error, with the time after which another try makes sense.
pub fn status(error: &Error) -> Status {
    if error.is_fault() {
        tracing::error!("{error}");
    }
    let mut status = Status::new(code(error), error.to_string());
    if let Some(seconds) = error.retry_after_s() {
        status.metadata_mut().insert(PUSHBACK, MetadataValue::from(seconds.saturating_mul(1000)));
    }
    status
}

/// [`Error::status`] in gRPC's words. A body over the limit is out of range, as it is to gRPC itself.
fn code(error: &Error) -> Code {
    match error.status() {
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        408 | 504 => Code::DeadlineExceeded,
        413 => Code::OutOfRange,
        400..=407 | 409..=412 | 414..=428 => Code::InvalidArgument,
        429 => Code::ResourceExhausted,
        503 => Code::Unavailable,
        _ => Code::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_code_that_clients_act_on() {
        let model = || "m".to_owned();
        let cases = [
            (Error::invalid("inputs", "is missing"), Code::InvalidArgument, None),
            (Error::image("is truncated"), Code::InvalidArgument, None),
            (Error::BodyStalled { limit_ms: 1 }, Code::DeadlineExceeded, None),
            (Error::TooManyItems { found: 2, limit: 1 }, Code::OutOfRange, None),
            (Error::UnknownModel { name: model(), known: String::new() }, Code::NotFound, None),
            (Error::Unauthorized { reason: "no key" }, Code::Unauthenticated, None),
            (Error::Forbidden { reason: model() }, Code::PermissionDenied, None),
            (Error::QueueFull { model: model(), limit: 1, retry_after_s: 3 }, Code::ResourceExhausted, Some("3000")),
            (Error::Loading { model: model() }, Code::Unavailable, Some("1000")),
            (Error::Draining, Code::Unavailable, None),
            (Error::Timeout { model: model() }, Code::DeadlineExceeded, None),
            (Error::Backend { model: model(), reason: model() }, Code::Internal, None),
        ];
        for (error, code, pushback) in cases {
            let status = status(&error);
            let found = status.metadata().get(PUSHBACK).map(|value| value.to_str().unwrap());
            assert_eq!((status.code(), found, status.message()), (code, pushback, error.to_string().as_str()));
        }
    }
}
