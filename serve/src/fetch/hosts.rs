//! The hosts that images may be fetched from.

use crate::Error;
use std::net::IpAddr;

/// The hosts of the options: `images.example`, `.example` for all below it, an address, each with a port or without.
pub struct Hosts(Vec<Host>);

#[derive(Debug, PartialEq)]
struct Host {
    /// In small letters; without the point before it.
    name: String,
    /// Whether it stands for all hosts below it.
    is_above: bool,
    /// The one of the scheme where there is none.
    port: Option<u16>,
}

/// Where a host may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permission {
    /// Out of private networks.
    Public,
    /// Anywhere: the list names the address itself.
    Anywhere,
}

impl Hosts {
    /// The hosts in these words.
    ///
    /// # Errors
    /// [`Error::Option`] for one that is none.
    pub fn parse(words: &[String]) -> Result<Self, Error> {
        let host = |word: &String| {
            let reason =
                || format!("\"{word}\" is no host; write images.example, .example for all below it, or 10.0.0.7:9000");
            Host::parse(word).ok_or_else(|| Error::Option { option: "fetch_hosts", reason: reason() })
        };
        words.iter().map(host).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a host of a URL, in small letters, may be asked at a port, and where it may lead.
    pub fn permission(&self, name: &str, port: u16, is_encrypted: bool) -> Option<Permission> {
        let usual = if is_encrypted { 443 } else { 80 };
        let fits = |host: &&Host| host.fits(name) && host.port.unwrap_or(usual) == port;
        self.0.iter().find(fits).map(|host| match host.name.parse::<IpAddr>() {
            Ok(_) => Permission::Anywhere,
            Err(_) => Permission::Public,
        })
    }
}

impl Host {
    fn parse(word: &str) -> Option<Self> {
        let word = word.trim().to_ascii_lowercase();
        let (name, port) = match word.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(address) => {
                let (name, port) = address?;
                (name, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
            }
            // Of an address of IPv6 without brackets nothing is a port.
            None if word.parse::<IpAddr>().is_ok() => (word.as_str(), None),
            None => word.split_once(':').map_or((word.as_str(), None), |(name, port)| (name, Some(port))),
        };
        let port = port.map(str::parse).transpose().ok()?;
        let (is_above, name) = name.strip_prefix('.').map_or((false, name), |name| (true, name));
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || ".-_:".contains(letter);
        (!name.is_empty() && name.chars().all(is_letter)).then(|| Self { name: name.to_owned(), is_above, port })
    }

    fn fits(&self, name: &str) -> bool {
        match self.is_above {
            true => name.strip_suffix(&self.name).is_some_and(|below| below.len() > 1 && below.ends_with('.')),
            false => name == self.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_may_be_asked() {
        let words = ["images.example", ".cdn.example", "10.0.0.7:9000", "[fd00::1]", "Store.Example:8443"];
        let hosts = Hosts::parse(&words.map(str::to_owned)).unwrap();
        let (public, anywhere) = (Some(Permission::Public), Some(Permission::Anywhere));
        for (name, port, is_encrypted, expected) in [
            ("images.example", 443, true, public),
            ("images.example", 80, false, public),
            ("images.example", 80, true, None),
            ("images.example", 8080, false, None),
            ("evil-images.example", 443, true, None),
            ("images.example.evil", 443, true, None),
            ("a.cdn.example", 443, true, public),
            ("a.b.cdn.example", 443, true, public),
            ("cdn.example", 443, true, None),
            (".cdn.example", 443, true, None),
            ("evilcdn.example", 443, true, None),
            ("10.0.0.7", 9000, false, anywhere),
            ("10.0.0.7", 80, false, None),
            ("fd00::1", 443, true, anywhere),
            ("store.example", 8443, true, public),
            ("", 443, true, None),
        ] {
            assert_eq!(hosts.permission(name, port, is_encrypted), expected, "{name}:{port} {is_encrypted}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for word in ["", ".", "http://a.example", "a.example:port", "a b", "[::1", "[::1]x", "a.example:70000", "*"] {
            let message = Hosts::parse(&[word.to_owned()]).err().map(|error| error.to_string());
            assert!(message.is_some_and(|message| message.contains("fetch_hosts")), "{word:?}");
        }
    }
}
