//! `multipart/form-data`: files are images, other fields are options.

use super::body;
use crate::{Config, Error};
use actix_multipart::{Field, Multipart};
use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::{StreamExt, stream};
use std::collections::BTreeMap;

/// Most fields and files of a form.
const MAX_PARTS: usize = 4096;

/// Reads all files, in their order, and all fields.
///
/// # Errors
/// [`Error::BodyTooLarge`], or [`Error::Invalid`] for a form that cannot be read.
pub async fn read(
    request: &HttpRequest,
    payload: Payload,
    config: &Config,
) -> Result<(Vec<Bytes>, BTreeMap<String, String>), Error> {
    let body = body::read(request, payload, config).await?;
    parse(request.headers(), body).await
}

/// As [`read`], from a body that is there; the headers name the boundary.
///
/// # Errors
/// [`Error::Invalid`] for a form that cannot be read, [`Error::TooManyItems`] for one of too many parts.
pub async fn parse(headers: &HeaderMap, body: Bytes) -> Result<(Vec<Bytes>, BTreeMap<String, String>), Error> {
    let mut form = Multipart::new(headers, stream::iter([Ok(body)]));
    let (mut images, mut fields) = (Vec::new(), BTreeMap::new());
    for _ in 0..MAX_PARTS {
        let Some(part) = form.next().await else { return Ok((images, fields)) };
        let mut part = part.map_err(|error| wrong(&error))?;
        let name = part.name().unwrap_or_default().to_owned();
        let is_file = part.content_disposition().is_some_and(|disposition| disposition.get_filename().is_some())
            || part.content_type().is_some_and(|kind| kind.type_() == "image" || kind.subtype() == "octet-stream");
        let bytes = bytes(&mut part).await?;
        if is_file {
            images.push(bytes);
        } else {
            let text = std::str::from_utf8(&bytes).map_err(|error| {
                Error::invalid(name.clone(), format!("field {name} is neither a file nor text: {error}"))
            })?;
            fields.insert(name, text.trim().to_owned());
        }
    }
    Err(Error::TooManyItems { found: MAX_PARTS + 1, limit: MAX_PARTS })
}

async fn bytes(part: &mut Field) -> Result<Bytes, Error> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = part.next().await {
        bytes.extend_from_slice(&chunk.map_err(|error| wrong(&error))?);
    }
    Ok(bytes.freeze())
}

fn wrong(error: &actix_multipart::MultipartError) -> Error {
    Error::invalid("", format!("the multipart form cannot be read: {error}"))
}
