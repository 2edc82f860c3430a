//! Requests by HTTP to other servers, each over a connection of its own, and their answers.

use actix_web::web::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::Builder;
use hyper::header::{CONNECTION, HOST, HeaderName, USER_AGENT};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncRead, AsyncWrite};

/// Most bytes of the head of an answer.
const LONGEST_HEAD: usize = 16 << 10;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// In small letters, without the brackets of IPv6.
    pub host: String,
    pub port: u16,
    /// Host and port as the URL has them.
    pub authority: String,
    pub path: String,
}

/// The bytes that the bodies of answers may still have together.
pub struct Budget(AtomicUsize);

impl Address {
    /// Where a URL leads, if it names a host; `usual` is the port where it names none.
    pub fn of(uri: &Uri, usual: u16) -> Option<Self> {
        Some(Self {
            host: uri.host()?.trim_matches(['[', ']']).to_ascii_lowercase(),
            port: uri.port_u16().unwrap_or(usual),
            authority: uri.authority()?.to_string(),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        })
    }
}

impl Budget {
    /// So many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(AtomicUsize::new(bytes))
    }

    fn take(&self, bytes: usize) -> Result<(), String> {
        let rest = |left: usize| left.checked_sub(bytes);
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest);
        taken.map(drop).map_err(|_| "its answer has more bytes than are taken".to_owned())
    }
}

/// Sends a request; `headers` are those beside the usual ones. The body of the answer is still on its way.
///
/// # Errors
/// Why there is no answer.
pub async fn ask(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    method: Method,
    Address { authority, path, .. }: &Address,
    headers: &[(HeaderName, &str)],
    body: Bytes,
) -> Result<Response<Incoming>, String> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, authority)
        .header(USER_AGENT, concat!("selfie/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close");
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
    let connection = Builder::new().max_header_size(LONGEST_HEAD).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = connection.map_err(|error| cause(&error))?;
    // What goes wrong on it is told by the answer, and it ends when nobody wants that any more.
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(|error| cause(&error))
}

/// The whole body of an answer.
///
/// # Errors
/// Why it is not there.
pub async fn body(mut answer: Response<Incoming>, budget: &Budget) -> Result<Bytes, String> {
    let mut body = BytesMut::new();
    while let Some(frame) = answer.frame().await {
        // What is no data comes behind it, and nobody reads that.
        let Ok(data) = frame.map_err(|error| cause(&error))?.into_data() else { break };
        budget.take(data.len())?;
        body.extend_from_slice(&data);
    }
    Ok(body.freeze())
}

/// What is at the bottom of an error: the system's own words where there is no connection.
pub fn cause(error: &(dyn Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::runtime::Builder;

    fn address(url: &str) -> Address {
        Address::of(&url.parse().unwrap(), 80).unwrap()
    }

    /// What is made of an answer.
    fn answered(answer: &str, most: usize) -> Result<(u16, Bytes), String> {
        let (here, mut there) = duplex(4096);
        let answer = answer.to_owned();
        Builder::new_current_thread().build().unwrap().block_on(async {
            tokio::spawn(async move {
                let mut request = [0; 15];
                there.read_exact(&mut request).await.unwrap();
                assert_eq!(&request, b"GET /a HTTP/1.1");
                // Whoever has read enough is gone.
                let _ = there.write_all(answer.as_bytes()).await;
            });
            let answer = ask(here, Method::GET, &address("http://host/a"), &[], Bytes::new()).await?;
            let status = answer.status().as_u16();
            Ok((status, body(answer, &Budget::new(most)).await?))
        })
    }

    #[test]
    fn an_answer_comes_whole_however_long_it_says_to_be() {
        for (answer, status, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello world", 200, "hello world"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx: y\r\n\r\n", 200, "hello"),
            ("HTTP/1.0 200 OK\r\n\r\nhello world", 200, "hello world"),
            ("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", 503, ""),
        ] {
            assert_eq!(answered(answer, 11), Ok((status, body.into())), "{answer}");
        }
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello", "end of file before message length reached"),
            ("HTTP/1.1 200", "connection closed before message completed"),
            ("SSH-2.0-OpenSSH\r\n", "invalid HTTP version"),
            ("HTTP/1.1 200 OK\r\n\r\n01234567890123456789", "more bytes than"),
        ] {
            let reason = answered(answer, 19).unwrap_err();
            assert!(reason.contains(expected), "{answer:?}: {reason}");
        }
        let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(2 * LONGEST_HEAD));
        assert!(answered(&long, 20).unwrap_err().contains("too large"));
    }

    #[test]
    fn an_address_is_taken_apart() {
        for (url, host, port, authority, path) in [
            ("http://[::1]:4318/v1/traces?team=a", "::1", 4318, "[::1]:4318", "/v1/traces?team=a"),
            ("https://A.example/b.png?c=d#e", "a.example", 80, "A.example", "/b.png?c=d"),
            ("http://a.example:81", "a.example", 81, "a.example:81", "/"),
        ] {
            let expected = Address { host: host.into(), port, authority: authority.into(), path: path.into() };
            assert_eq!(address(url), expected, "{url}");
        }
        assert_eq!(Address::of(&"/a".parse().unwrap(), 80), None);
    }
}
