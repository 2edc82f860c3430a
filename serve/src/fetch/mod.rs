//! Images that requests name by URL: fetched from hosts that the options name, and from no other.
//!
//! A URL is what a stranger makes the server ask, from where the stranger cannot: so a host must be on the list, its name must lead out of
//! private networks, the address that was looked at is the one that is asked, no redirect is followed, and time and bytes are bounded.

mod address;
mod answer;
mod authorities;
mod hosts;

pub use hosts::Hosts;

use crate::{Config, Error};
use actix_web::http::Uri;
use actix_web::web::Bytes;
use answer::Budget;
use hosts::Permission;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// Most images that are fetched at once, those of one request included.
const AT_ONCE: usize = 64;
/// Of those most for one request.
pub const AT_ONCE_EACH: usize = 8;

/// Fetches images.
pub struct Fetcher {
    hosts: Hosts,
    longest: Duration,
    most_bytes: usize,
    tls: Option<Arc<ClientConfig>>,
    permits: Semaphore,
}

/// What is asked for, and where.
struct Target {
    is_encrypted: bool,
    host: String,
    port: u16,
    /// Host and port as the URL has them.
    authority: String,
    path: String,
}

impl Fetcher {
    /// A fetcher for the hosts of the options, if there are any.
    ///
    /// # Errors
    /// [`Error::Option`] for a host that is none.
    pub fn open(config: &Config) -> Result<Option<Self>, Error> {
        if config.fetch_hosts.is_empty() {
            return Ok(None);
        }
        let tls = authorities::trusted()?;
        if tls.is_none() {
            tracing::warn!(
                "no certificates of authorities are here, so images are fetched by http alone; SSL_CERT_FILE names some"
            );
        }
        Ok(Some(Self {
            hosts: Hosts::parse(&config.fetch_hosts)?,
            longest: Duration::from_millis(config.fetch_timeout_ms),
            most_bytes: config.max_body_bytes,
            tls,
            permits: Semaphore::new(AT_ONCE),
        }))
    }

    /// What the images of one request may have together: as much as its body.
    pub fn budget(&self) -> Budget {
        Budget(AtomicUsize::new(self.most_bytes))
    }

    /// Fetches an image.
    ///
    /// # Errors
    /// [`Error::Image`] when the host may not be asked, does not answer in time, or answers with something else.
    pub async fn fetch(&self, url: &str, budget: &Budget) -> Result<Bytes, Error> {
        let fetched = timeout(self.longest, self.get(url, budget)).await;
        let late = |_| Err(format!("did not come within {} ms", self.longest.as_millis()));
        fetched
            .unwrap_or_else(late)
            .map(Bytes::from)
            .map_err(|reason| Error::image(format!("is at a URL and {reason}")))
    }

    async fn get(&self, url: &str, budget: &Budget) -> Result<Vec<u8>, String> {
        let target = Target::of(url)?;
        let permission = self.hosts.permission(&target.host, target.port, target.is_encrypted).ok_or_else(|| {
            format!("{} is no host that this server fetches from; --fetch-hosts names those", target.authority)
        })?;
        // An error says that the server is gone.
        let _permit = self.permits.acquire().await.map_err(|error| error.to_string())?;
        let address = target.address(permission).await?;
        let failed = |error: std::io::Error| format!("{} cannot be asked: {error}", target.authority);
        let mut stream = TcpStream::connect(address).await.map_err(failed)?;
        if !target.is_encrypted {
            return answer::get(&mut stream, &target.authority, &target.path, budget).await;
        }
        let tls = self
            .tls
            .clone()
            .ok_or("https needs certificates of authorities, which are not here; SSL_CERT_FILE names some")?;
        let name = ServerName::try_from(target.host.clone()).map_err(|error| error.to_string())?;
        let mut stream = TlsConnector::from(tls).connect(name, stream).await.map_err(failed)?;
        answer::get(&mut stream, &target.authority, &target.path, budget).await
    }
}

impl Target {
    fn of(url: &str) -> Result<Self, String> {
        let uri = url.parse::<Uri>().map_err(|error| format!("cannot be read: {error}"))?;
        let is_encrypted = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err("is neither http nor https".into()),
        };
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        if authority.contains('@') {
            return Err("names a user, which is not sent".into());
        }
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if is_encrypted { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { is_encrypted, host, port, authority, path })
    }

    /// The address to ask: the first one that may be asked.
    async fn address(&self, permission: Permission) -> Result<SocketAddr, String> {
        let authority = &self.authority;
        let found = lookup_host((self.host.as_str(), self.port)).await;
        let found: Vec<SocketAddr> = found.map_err(|error| format!("{authority} is not known: {error}"))?.collect();
        let may = |address: &&SocketAddr| permission == Permission::Anywhere || address::is_public(address.ip());
        found.iter().find(may).copied().ok_or_else(|| {
            format!("{authority} leads into a private network; --fetch-hosts has to name the address itself for that")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let of = |url: &str| Target::of(url).map(|target| (target.host, target.port, target.authority, target.path));
        let target = |host: &str, port, authority: &str, path: &str| {
            Ok((host.to_owned(), port, authority.to_owned(), path.to_owned()))
        };
        assert_eq!(of("https://A.example/b.png?c=d#e"), target("a.example", 443, "A.example", "/b.png?c=d"));
        assert_eq!(of("http://a.example:81"), target("a.example", 81, "a.example:81", "/"));
        assert_eq!(of("http://[::1]:8/x"), target("::1", 8, "[::1]:8", "/x"));
        for (url, expected) in [
            ("ftp://a.example/b", "neither http nor https"),
            ("a.example/b", "cannot be read"),
            ("http://user:word@a.example/", "names a user"),
            ("http://a b/", "cannot be read"),
        ] {
            let reason = of(url).unwrap_err();
            assert!(reason.contains(expected), "{url}: {reason}");
        }
    }
}
