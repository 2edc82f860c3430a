//! Who sends a browser's request: a page of another site must not load and unload models, which it could where this machine alone
//! reaches the server and no key is asked for.
//!
//! # Source
//! W3C, Fetch Metadata Request Headers, section 2.4; RFC 6454, section 7: the Origin.

use crate::Error;
use actix_web::HttpRequest;
use actix_web::http::header::{HOST, HeaderName, ORIGIN};
use std::net::IpAddr;

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Checks that no page of another site has sent the request.
///
/// # Errors
/// [`Error::Forbidden`] when one has, or when a server without keys for its administration is asked under a name that anybody
/// may have given it.
pub fn check(http: &HttpRequest, has_keys: bool) -> Result<(), Error> {
    let header = |name| http.headers().get(name).and_then(|value| value.to_str().ok());
    let host = header(HOST).or_else(|| http.uri().authority().map(|authority| authority.as_str()));
    match foreign(header(SITE), header(ORIGIN), host, has_keys) {
        Some(reason) => Err(Error::Forbidden { reason }),
        None => Ok(()),
    }
}

fn foreign(site: Option<&str>, origin: Option<&str>, host: Option<&str>, has_keys: bool) -> Option<String> {
    if let Some(site) = site.filter(|site| !["same-origin", "none"].contains(site)) {
        return Some(format!(
            "a page of another site has sent this ({site}); only pages of this server may load models"
        ));
    }
    if let Some(origin) = origin {
        let of = origin.split_once("://").map(|(_, host)| host);
        if of.is_none_or(|of| !host.is_some_and(|host| host.eq_ignore_ascii_case(of))) {
            return Some(format!("a page of {origin} has sent this; only pages of this server may load models"));
        }
    }
    // A page of another site has this server's origin when its name is made to lead here.
    let host = host.filter(|host| !has_keys && !is_loopback(host))?;
    Some(format!("without --admin-keys models are loaded at localhost, not at \"{host}\""))
}

/// Whether a host, with or without a port, is one that only this machine has.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((name, _)) => name,
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_and_no_pages_at_all_may_ask() {
        let here = Some("127.0.0.1:8000");
        let cases = [
            (None, None, here, false, true),
            (None, None, None, false, true),
            (None, None, Some("LOCALHOST"), false, true),
            (None, None, Some("[::1]:8000"), false, true),
            (None, None, Some("evil.example:8000"), false, false),
            (None, None, Some("127.0.0.1.evil.example"), false, false),
            (None, None, Some("models.example"), true, true),
            (Some("none"), None, here, false, true),
            (Some("same-origin"), Some("http://127.0.0.1:8000"), here, false, true),
            (Some("cross-site"), None, here, false, false),
            (Some("same-site"), None, here, true, false),
            (None, Some("https://evil.example"), here, false, false),
            (None, Some("http://127.0.0.1:3000"), here, false, false),
            (None, Some("null"), here, true, false),
        ];
        for (site, origin, host, has_keys, is_ok) in cases {
            let reason = foreign(site, origin, host, has_keys);
            assert_eq!(reason.is_none(), is_ok, "{site:?} {origin:?} {host:?} {has_keys}: {reason:?}");
        }
    }
}
