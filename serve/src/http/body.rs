//! Reading a request body under the limit, which holds for what is sent and for what it inflates to.

use super::bulk;
use super::inflate::Inflate;
use crate::app::pace::Pace;
use crate::{Config, Error};
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use actix_web::web::{Bytes, BytesMut, Payload};
use actix_web::{HttpMessage, HttpRequest};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

/// Most memory that a length is given before anything has come.
const MAX_RESERVED_BYTES: usize = 64 << 10;

/// What some programs put in front of UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The media type of a body without its parameters. Its case does not matter.
///
/// # Source
/// RFC 9110, section 8.3.1.
pub fn kind(request: &HttpRequest) -> String {
    request.content_type().to_ascii_lowercase()
}

/// What a body of JSON says.
///
/// # Errors
/// [`Error::Invalid`] says where it is wrong, or what it holds too much of.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    bulk::check(body)?;
    parse(body)
}

/// What a body of JSON with tensors says. What reads it keeps nothing that it does not know.
///
/// # Errors
/// Those of [`json`].
pub fn json_with_tensors<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    bulk::check_objects(body)?;
    parse(body)
}

/// # Source
/// RFC 8259, section 8.1: a byte order mark may be ignored.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let text = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    serde_json::from_slice(text).map_err(|error| Error::invalid("", format!("the JSON body is wrong: {error}")))
}

/// What a body of JSON says where there may be none.
///
/// # Errors
/// Those of [`json`].
pub fn json_or_nothing<T: DeserializeOwned + Default>(body: &[u8]) -> Result<T, Error> {
    if body.is_empty() { Ok(T::default()) } else { json(body) }
}

/// Reads the whole body, without its content encoding.
///
/// # Errors
/// [`Error::BodyTooLarge`], [`Error::BodyStalled`], [`Error::BodySlow`], [`Error::ContentEncoding`] for one that is not known, or
/// [`Error::Invalid`] when the connection breaks or the encoding is damaged.
pub async fn read(request: &HttpRequest, mut payload: Payload, config: &Config) -> Result<Bytes, Error> {
    let limit_bytes = config.max_body_bytes;
    let headers = request.headers();
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    let announced = length.and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit_bytes) {
        return Err(Error::BodyTooLarge { limit_bytes });
    }
    // Encodings in several headers are one list.
    let encodings: Vec<_> = headers.get_all(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?")).collect();
    let mut inflate = Inflate::new(&encodings.join(", "), limit_bytes)?;
    let mut body = BytesMut::with_capacity(announced.unwrap_or(0).min(MAX_RESERVED_BYTES));
    let mut pace = Pace::new(config.body_timeout_ms);
    while let Some(chunk) = pace.wait(payload.next()).await? {
        let chunk = chunk.map_err(|error| Error::invalid("", format!("the body cannot be read: {error}")))?;
        pace.add(chunk.len());
        match &mut inflate {
            Some(inflate) => inflate.write(&chunk)?,
            None if body.len() + chunk.len() > limit_bytes => return Err(Error::BodyTooLarge { limit_bytes }),
            None => body.extend_from_slice(&chunk),
        }
    }
    match inflate {
        Some(inflate) => inflate.finish(),
        None => Ok(body.freeze()),
    }
}
