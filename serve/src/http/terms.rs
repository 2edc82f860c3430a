//! How long an HTTP request may wait for the runtime, who goes first, and its span, see [`crate::app::deadline`] and
//! [`crate::app::priority`].

use crate::app::{deadline, priority};
use crate::batch::Terms;
use crate::trace::Context;
use crate::{Config, Error};
use actix_web::{HttpMessage, HttpRequest};
use std::time::Duration;

/// The terms of a request. `timeout_us` and `asked` are the parameters `timeout` and `priority` of the inference protocol.
///
/// # Errors
/// [`Error::Invalid`] for a header that is no number.
pub fn terms(config: &Config, http: &HttpRequest, timeout_us: Option<u64>, asked: Option<u64>) -> Result<Terms, Error> {
    let header = |name| http.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    let until = deadline::until(config, header(deadline::HEADER), &[timeout_us.map(Duration::from_micros)])?;
    let trace = http.extensions().get::<Context>().cloned();
    Ok(Terms { until, priority: priority::priority(header(priority::HEADER), asked)?, trace })
}
