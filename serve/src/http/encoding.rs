//! Which answers are compressed for clients that take it: those that are long and not bare numbers, which gzip hardly shortens.
//!
//! An answer that says how it is encoded is left alone by actix, so one that is to stay as it is says `identity` until it has
//! passed. Clients need not hear of that: RFC 9110, section 8.4.1, wants it in no response.

use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AcceptEncoding, CONTENT_ENCODING, CONTENT_TYPE, Encoding, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};

/// What is shorter goes out in one packet anyway.
const SMALL_BYTES: u64 = 1400;
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// Keeps answers from being compressed that are better left as they are.
///
/// # Errors
/// Those of the next service.
pub async fn keep<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let is_small = matches!(response.response().body().size(), BodySize::Sized(length) if length < SMALL_BYTES);
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if is_small || kind.starts_with(b"application/octet-stream") {
        response.headers_mut().insert(CONTENT_ENCODING, IDENTITY);
    }
    Ok(response)
}

/// Refuses a request whose client takes none of the encodings that there are, plain answers included. actix itself would do so in words that
/// no client of an API expects.
pub fn refusal(request: &ServiceRequest) -> Option<crate::Error> {
    let accepted: AcceptEncoding = request.get_header()?;
    let known = [Encoding::identity(), Encoding::gzip(), Encoding::deflate()];
    let refused = |found| crate::Error::NotAcceptable { found, expected: "identity, gzip or deflate" };
    accepted.negotiate(known.iter()).is_none().then(|| refused(accepted.to_string()))
}

/// Takes the sign away that an answer was left as it is.
pub fn strip(headers: &mut HeaderMap) {
    if headers.get(CONTENT_ENCODING) == Some(&IDENTITY) {
        headers.remove(CONTENT_ENCODING);
    }
}
