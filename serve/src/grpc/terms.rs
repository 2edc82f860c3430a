//! The deadline that a client gives its call, who goes first, and its span.
//!
//! # Source
//! gRPC over HTTP/2, `grpc-timeout`: at most 8 digits and a unit.

use crate::app::{deadline, priority};
use crate::batch::Terms;
use crate::trace::Context;
use crate::{Config, Error};
use std::time::Duration;
use tonic::codegen::http::HeaderMap;
use tonic::metadata::MetadataMap;

const TIMEOUT: &str = "grpc-timeout";

/// The terms of a call. `timeout_us` and `asked` are the request's parameters `timeout` and `priority`.
///
/// # Errors
/// [`Error::Invalid`] for metadata that is no number.
pub fn terms(
    config: &Config,
    metadata: &MetadataMap,
    timeout_us: Option<u64>,
    asked: Option<u64>,
    trace: Option<Context>,
) -> Result<Terms, Error> {
    let text = |name| metadata.get(name).map(|value| value.to_str().unwrap_or_default());
    let timeout = timeout(metadata.as_ref());
    let until = deadline::until(config, text(deadline::HEADER), &[timeout, timeout_us.map(Duration::from_micros)])?;
    Ok(Terms { until, priority: priority::priority(text(priority::HEADER), asked)?, trace })
}

/// The time that the client gives the call. One that cannot be read is none, as it is to tonic.
pub fn timeout(headers: &HeaderMap) -> Option<Duration> {
    headers.get(TIMEOUT)?.to_str().ok().and_then(parse)
}

fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let is_number = digits.len() <= 8 && digits.bytes().all(|digit| digit.is_ascii_digit());
    let value: u64 = digits.parse().ok().filter(|_| is_number)?;
    Some(match unit {
        "H" => Duration::from_secs(value * 3600),
        "M" => Duration::from_secs(value * 60),
        "S" => Duration::from_secs(value),
        "m" => Duration::from_millis(value),
        "u" => Duration::from_micros(value),
        "n" => Duration::from_nanos(value),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_is_read_and_nothing_else() {
        let cases = [
            ("2H", Some(Duration::from_secs(7200))),
            ("3M", Some(Duration::from_secs(180))),
            ("4S", Some(Duration::from_secs(4))),
            ("99999999m", Some(Duration::from_millis(99_999_999))),
            ("5u", Some(Duration::from_micros(5))),
            ("6n", Some(Duration::from_nanos(6))),
            ("123456789m", None),
            ("+1S", None),
            ("1", None),
            ("S", None),
            ("", None),
            ("1é", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }
}
