//! Errors as responses: OpenAI's envelope on `/v1`, KServe's on `/v2`. The status is [`Error::status`].

use crate::Error;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, HttpResponseBuilder, ResponseError};
use serde_json::json;
use std::fmt;

/// An error on a path of OpenAI's API: `{"error": {"message", "type", "param", "code"}}`.
#[derive(Debug)]
pub struct OpenAi(pub Error);

/// An error on a path of KServe's API: `{"error": "message"}`.
#[derive(Debug)]
pub struct KServe(pub Error);

impl ResponseError for OpenAi {
    fn status_code(&self) -> StatusCode {
        status(self.0.status())
    }

    fn error_response(&self) -> HttpResponse {
        let error = &self.0;
        let param = match error {
            Error::Invalid { param, .. } if !param.is_empty() => Some(param.clone()),
            Error::Image { item, .. } => Some(format!("input[{item}]")),
            Error::UnknownModel { .. } => Some("model".to_owned()),
            Error::UnknownGallery { .. } => Some("gallery".to_owned()),
            Error::UnknownThumbnail { .. } => Some("row".to_owned()),
            _ => None,
        };
        let (kind, code) = (kind(error), code(error));
        let body = json!({"error": {"message": error.to_string(), "type": kind, "param": param, "code": code}});
        builder(error, self.status_code()).json(body)
    }
}

impl ResponseError for KServe {
    fn status_code(&self) -> StatusCode {
        status(self.0.protocol_status())
    }

    fn error_response(&self) -> HttpResponse {
        builder(&self.0, self.status_code()).json(json!({"error": self.0.to_string()}))
    }
}

fn builder(error: &Error, status: StatusCode) -> HttpResponseBuilder {
    if error.is_fault() {
        tracing::error!("{error}");
    }
    let mut response = HttpResponse::build(status);
    if let Some(seconds) = error.retry_after_s() {
        response.insert_header((RETRY_AFTER, seconds.to_string()));
    }
    match error {
        Error::Unauthorized { .. } => {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        Error::Method { allow, .. } => {
            // What answers GET answers HEAD.
            response.insert_header((ALLOW, allow.replace("GET", "GET, HEAD")));
        }
        // What is left of the body may still come, and would be read as the next request.
        Error::Starting | Error::Draining | Error::BodyStalled { .. } | Error::BodySlow { .. } => {
            response.force_close();
        }
        _ => {}
    }
    response
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn kind(error: &Error) -> &'static str {
    match error.status() {
        401 => "authentication_error",
        403 => "permission_error",
        429 => "rate_limit_error",
        500.. => "server_error",
        _ => "invalid_request_error",
    }
}

fn code(error: &Error) -> Option<&'static str> {
    match error {
        Error::Image { .. } => Some("invalid_image"),
        Error::UnknownModel { .. } => Some("model_not_found"),
        Error::UnknownGallery { .. } => Some("gallery_not_found"),
        Error::UnknownThumbnail { .. } => Some("thumbnail_not_found"),
        Error::QueueFull { .. } => Some("queue_full"),
        Error::TooLate { .. } => Some("too_late"),
        Error::Timeout { .. } => Some("timeout"),
        Error::BodyTooLarge { .. } => Some("body_too_large"),
        Error::BodyStalled { .. } => Some("body_stalled"),
        Error::BodySlow { .. } => Some("body_slow"),
        Error::TooManyItems { .. } => Some("too_many_items"),
        Error::Unauthorized { .. } => Some("invalid_api_key"),
        Error::Starting | Error::Loading { .. } => Some("model_loading"),
        Error::Draining => Some("shutting_down"),
        _ => None,
    }
}

impl fmt::Display for OpenAi {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Display for KServe {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl From<Error> for OpenAi {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl From<Error> for KServe {
    fn from(error: Error) -> Self {
        Self(error)
    }
}
