//! How long a request may wait for the runtime: the shortest of what the server allows (`--max-wait-ms`) and what the client
//! says, in a header or a parameter. 0 says nothing.

use crate::{Config, Error, whole};
use std::time::{Duration, Instant};

/// The header, or in gRPC the metadata, in which a client says how many milliseconds its request may wait.
pub const HEADER: &str = "x-max-wait-ms";

/// The moment after which no item of the request is begun, if there is one.
///
/// # Errors
/// [`Error::Invalid`] for a header that is no number.
pub fn until(config: &Config, header: Option<&str>, asked: &[Option<Duration>]) -> Result<Option<Instant>, Error> {
    let wrong = |text| Error::invalid(HEADER, format!("{HEADER} is \"{text}\"; it must be a number of milliseconds"));
    let header_ms = header.map(|text| whole::parse(text.trim()).ok_or_else(|| wrong(text))).transpose()?;
    let longest = longest(config.max_wait_ms, header_ms, asked);
    // A time that no clock reaches is no limit.
    Ok(longest.and_then(|longest| Instant::now().checked_add(longest)))
}

fn longest(allowed_ms: u64, header_ms: Option<u64>, asked: &[Option<Duration>]) -> Option<Duration> {
    let server = [Some(Duration::from_millis(allowed_ms)), header_ms.map(Duration::from_millis)];
    server.iter().chain(asked).flatten().copied().filter(|time| !time.is_zero()).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_may_only_shorten_the_wait() {
        let ms = |ms| Some(Duration::from_millis(ms));
        let cases = [
            ((0, None, [None, None]), None),
            ((0, Some(0), [ms(0), None]), None),
            ((50, None, [None, None]), ms(50)),
            ((50, Some(80), [None, None]), ms(50)),
            ((50, Some(20), [ms(30), None]), ms(20)),
            ((50, Some(20), [ms(30), ms(10)]), ms(10)),
            ((0, None, [None, ms(7)]), ms(7)),
        ];
        for ((allowed_ms, header_ms, asked), expected) in cases {
            assert_eq!(longest(allowed_ms, header_ms, &asked), expected, "{allowed_ms} {header_ms:?} {asked:?}");
        }
    }

    #[test]
    fn a_header_is_a_number_and_an_endless_wait_is_none() {
        let config = Config::default();
        assert!(until(&config, Some(" 20 "), &[]).unwrap().is_some());
        assert_eq!(until(&config, None, &[Some(Duration::MAX)]).unwrap(), None);
        assert!(until(&config, Some("soon"), &[]).unwrap_err().to_string().contains(HEADER));
    }
}
