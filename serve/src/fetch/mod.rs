//! Images that requests name by URL: fetched from hosts that the options name, and from no other.
//!
//! A URL is what a stranger makes the server ask, from where the stranger cannot: so a host must be on the list, its name must lead out of
//! private networks, the address that was looked at is the one that is asked, no redirect is followed, and time and bytes are bounded.

mod address;
mod authorities;
mod hosts;

pub use hosts::Hosts;

use crate::client::{self, Address, Budget};
use crate::{Config, Error};
use actix_web::web::Bytes;
use hosts::Permission;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, LOCATION};
use hyper::{Method, Uri};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
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
    address: Address,
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
        Budget::new(self.most_bytes)
    }

    /// Fetches an image.
    ///
    /// # Errors
    /// [`Error::Image`] when the host may not be asked, does not answer in time, or answers with something else.
    pub async fn fetch(&self, url: &str, budget: &Budget) -> Result<Bytes, Error> {
        let fetched = timeout(self.longest, self.get(url, budget)).await;
        let late = |_| Err(format!("did not come within {} ms", self.longest.as_millis()));
        fetched.unwrap_or_else(late).map_err(|reason| Error::image(format!("is at a URL and {reason}")))
    }

    async fn get(&self, url: &str, budget: &Budget) -> Result<Bytes, String> {
        let target = Target::of(url)?;
        let Address { host, port, authority, .. } = &target.address;
        let permission = self.hosts.permission(host, *port, target.is_encrypted).ok_or_else(|| {
            format!("{authority} is no host that this server fetches from; --fetch-hosts names those")
        })?;
        // An error says that the server is gone.
        let _permit = self.permits.acquire().await.map_err(|error| error.to_string())?;
        let address = target.address(permission).await?;
        let image = self.get_at(address, &target, budget).await;
        image.map_err(|reason| format!("cannot be fetched from {authority}: {reason}"))
    }

    async fn get_at(&self, address: SocketAddr, target: &Target, budget: &Budget) -> Result<Bytes, String> {
        let text = |error: std::io::Error| error.to_string();
        let stream = TcpStream::connect(address).await.map_err(text)?;
        if !target.is_encrypted {
            return image(stream, &target.address, budget).await;
        }
        let tls = self
            .tls
            .clone()
            .ok_or("https needs certificates of authorities, which are not here; SSL_CERT_FILE names some")?;
        let name = ServerName::try_from(target.address.host.clone()).map_err(|error| error.to_string())?;
        let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(text)?;
        image(stream, &target.address, budget).await
    }
}

/// Asks for an image by a connection.
async fn image(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    address: &Address,
    budget: &Budget,
) -> Result<Bytes, String> {
    let headers = [(ACCEPT, "image/*"), (ACCEPT_ENCODING, "identity")];
    let answer = client::ask(stream, Method::GET, address, &headers, Bytes::new()).await?;
    let header = |name| answer.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let encoding = header(CONTENT_ENCODING).filter(|encoding| !encoding.eq_ignore_ascii_case("identity"));
    match (answer.status().as_u16(), header(LOCATION), encoding) {
        (200, _, None) => {}
        (200, _, Some(encoding)) => return Err(format!("it packs it in {encoding}, which was not asked for")),
        (300..=399, Some(location), _) => {
            return Err(format!("it leads to {location}, which is not followed; send that"));
        }
        (status, ..) => return Err(format!("it answers {status}")),
    }
    client::body(answer, budget).await
}

impl Target {
    fn of(url: &str) -> Result<Self, String> {
        let uri = url.parse::<Uri>().map_err(|error| format!("cannot be read: {error}"))?;
        let (is_encrypted, port) = match uri.scheme_str() {
            Some("https") => (true, 443),
            Some("http") => (false, 80),
            _ => return Err("is neither http nor https".into()),
        };
        let address = Address::of(&uri, port).ok_or("names no host")?;
        if address.authority.contains('@') {
            return Err("names a user, which is not sent".into());
        }
        Ok(Self { is_encrypted, address })
    }

    /// The address to ask: the first one that may be asked.
    async fn address(&self, permission: Permission) -> Result<SocketAddr, String> {
        let Address { host, port, authority, .. } = &self.address;
        let found = lookup_host((host.as_str(), *port)).await;
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
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::runtime::Builder;

    #[test]
    fn a_url_leads_to_a_host_or_says_why_not() {
        for (url, is_encrypted, port) in [
            ("https://a.example/b.png", true, 443),
            ("HTTP://a.example/b.png", false, 80),
            ("https://a.example:81", true, 81),
        ] {
            let target = Target::of(url).ok().unwrap();
            assert_eq!((target.is_encrypted, target.address.port), (is_encrypted, port), "{url}");
        }
        for (url, expected) in [
            ("ftp://a.example/b", "neither http nor https"),
            ("a.example/b", "cannot be read"),
            ("http://user:word@a.example/", "names a user"),
            ("http://a b/", "cannot be read"),
        ] {
            let reason = Target::of(url).err().unwrap();
            assert!(reason.contains(expected), "{url}: {reason}");
        }
    }

    #[test]
    fn what_is_not_the_image_is_told() {
        let runtime = Builder::new_current_thread().build().unwrap();
        for (answer, expected) in [
            ("404 Not Found\r\n\r\n", "it answers 404"),
            ("302 Found\r\nlocation: http://10.0.0.1/\r\n\r\n", "leads to http://10.0.0.1/, which is not followed"),
            ("304 Not Modified\r\n\r\n", "it answers 304"),
            ("200 OK\r\nContent-Encoding: gzip\r\n\r\n", "packs it in gzip"),
        ] {
            let (here, mut there) = duplex(4096);
            let address = Target::of("http://a.example").ok().unwrap().address;
            let found = runtime.block_on(async {
                tokio::spawn(async move {
                    there.read_u8().await.unwrap();
                    there.write_all(format!("HTTP/1.1 {answer}").as_bytes()).await.unwrap();
                });
                image(here, &address, &Budget::new(9)).await
            });
            assert!(found.as_ref().is_err_and(|reason| reason.contains(expected)), "{answer:?}: {found:?}");
        }
    }
}
