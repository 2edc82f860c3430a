//! How long an HTTP request may wait for the runtime, see [`crate::app::deadline`].

use crate::app::deadline::{self, HEADER};
use crate::{Config, Error};
use actix_web::HttpRequest;
use std::time::{Duration, Instant};

/// The moment after which no item of the request is begun, if there is one. `timeout_us` is the parameter `timeout` of the
/// inference protocol.
///
/// # Errors
/// [`Error::Invalid`] for a header that is no number.
pub fn until(config: &Config, http: &HttpRequest, timeout_us: Option<u64>) -> Result<Option<Instant>, Error> {
    let header = http.headers().get(HEADER).map(|value| value.to_str().unwrap_or_default());
    deadline::until(config, header, &[timeout_us.map(Duration::from_micros)])
}
