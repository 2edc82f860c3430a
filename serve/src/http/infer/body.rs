//! The body of a request: JSON, JSON with raw tensors behind it, or one raw tensor.
//!
//! # Source
//! Triton's binary tensor data extension.

use crate::http::body;
use crate::{Config, Error};
use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use actix_web::web::{Bytes, Payload};

/// Length of the JSON in front of raw tensors, in requests and in responses.
pub const JSON_LENGTH: HeaderName = HeaderName::from_static("inference-header-content-length");

/// Types that stand for JSON: the protocol's clients do not always name one, and `curl -d` names that of forms.
const JSON: [&str; 3] = ["application/json", "", "application/x-www-form-urlencoded"];
const RAW: &str = "application/octet-stream, or image/* after an Inference-Header-Content-Length of 0";

/// The parts of a body.
pub enum Body {
    /// JSON, and the raw tensors behind it.
    Json {
        /// The JSON.
        json: Bytes,
        /// The raw tensors, one after the other.
        tensors: Bytes,
    },
    /// One raw tensor, after a length of 0.
    Raw {
        /// Its bytes.
        tensor: Bytes,
        /// Whether the content type says that it is an encoded image.
        is_image: bool,
    },
}

/// Reads the body and cuts it.
///
/// # Errors
/// [`Error::MediaType`], [`Error::BodyTooLarge`], or [`Error::Invalid`] for a length that does not fit.
pub async fn read(http: &HttpRequest, payload: Payload, config: &Config) -> Result<Body, Error> {
    let length = json_length(http)?;
    let kind = body::kind(http);
    let is_json = JSON.contains(&kind.as_str());
    let is_image = length == Some(0) && kind.starts_with("image/");
    match length {
        None if !is_json => return Err(Error::MediaType { found: kind, expected: "application/json" }),
        Some(_) if !is_json && !is_image && kind != "application/octet-stream" => {
            return Err(Error::MediaType { found: kind, expected: RAW });
        }
        _ => {}
    }
    cut(length, is_image, body::read(http, payload, config).await?)
}

/// Cuts a body behind the JSON of this length.
///
/// # Errors
/// [`Error::Invalid`] for a length that does not fit.
pub fn cut(length: Option<usize>, is_image: bool, mut body: Bytes) -> Result<Body, Error> {
    match length {
        None => Ok(Body::Json { json: body, tensors: Bytes::new() }),
        Some(0) => Ok(Body::Raw { tensor: body, is_image }),
        Some(length) if length > body.len() => {
            let reason = format!("{JSON_LENGTH} is {length}, the body holds {} bytes", body.len());
            Err(Error::invalid("", reason))
        }
        Some(length) => {
            let json = body.split_to(length);
            Ok(Body::Json { json, tensors: body })
        }
    }
}

fn json_length(http: &HttpRequest) -> Result<Option<usize>, Error> {
    let Some(value) = http.headers().get(JSON_LENGTH) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let wrong = |_| Error::invalid("", format!("{JSON_LENGTH} is \"{text}\"; it must be a number of bytes"));
    text.parse().map(Some).map_err(wrong)
}
