//! How long a request may wait for the runtime: the shortest of what the server allows (`--max-wait-ms`), what the header
//! `x-max-wait-ms` says and, in the inference protocol, what the parameter `timeout` says in microseconds. 0 says nothing.

use crate::{Config, Error};
use actix_web::HttpRequest;
use std::time::{Duration, Instant};

const HEADER: &str = "x-max-wait-ms";

/// The moment after which no item of the request is begun, if there is one.
///
/// # Errors
/// [`Error::Invalid`] for a header that is no number.
pub fn until(config: &Config, http: &HttpRequest, timeout_us: Option<u64>) -> Result<Option<Instant>, Error> {
    let asked = http.headers().get(HEADER).map(|value| value.to_str().unwrap_or_default());
    let wrong = |text| Error::invalid(HEADER, format!("{HEADER} is \"{text}\"; it must be a number of milliseconds"));
    let asked_ms = asked.map(|text| text.trim().parse().map_err(|_| wrong(text))).transpose()?;
    let longest = longest(config.max_wait_ms, asked_ms, timeout_us);
    // A time that no clock reaches is no limit.
    Ok(longest.and_then(|longest| Instant::now().checked_add(longest)))
}

fn longest(allowed_ms: u64, asked_ms: Option<u64>, timeout_us: Option<u64>) -> Option<Duration> {
    let times = [
        Some(Duration::from_millis(allowed_ms)),
        asked_ms.map(Duration::from_millis),
        timeout_us.map(Duration::from_micros),
    ];
    times.into_iter().flatten().filter(|time| !time.is_zero()).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_may_only_shorten_the_wait() {
        let ms = |ms| Some(Duration::from_millis(ms));
        let cases = [
            ((0, None, None), None),
            ((0, Some(0), Some(0)), None),
            ((50, None, None), ms(50)),
            ((50, Some(80), None), ms(50)),
            ((50, Some(20), Some(30_000)), ms(20)),
            ((0, None, Some(7_000)), ms(7)),
        ];
        for ((allowed_ms, asked_ms, timeout_us), expected) in cases {
            assert_eq!(longest(allowed_ms, asked_ms, timeout_us), expected, "{allowed_ms} {asked_ms:?} {timeout_us:?}");
        }
    }
}
