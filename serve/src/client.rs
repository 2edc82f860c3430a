//! Requests by HTTP to other servers, each over a connection of its own, and their answers.
//!
//! # Source
//! RFC 9112, HTTP/1.1.

use httparse::{EMPTY_HEADER, Header, Response, Status, parse_chunk_size};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tonic::transport::Uri;

/// Most bytes of the head of an answer, and of the line before a chunk.
const LONGEST_HEAD: usize = 16 << 10;
const LONGEST_LINE: usize = 256;
const MOST_HEADERS: usize = 64;

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

/// An answer whose body is still on its way.
pub struct Answer<'a, S> {
    pub status: u16,
    headers: Vec<(String, String)>,
    stream: &'a mut S,
    /// What has come of the body and is not used yet.
    rest: Vec<u8>,
}

/// The head of an answer.
struct Head {
    status: u16,
    /// Names in small letters, and values.
    headers: Vec<(String, String)>,
    length: usize,
}

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

/// Sends a request; `headers` are those beside the usual ones, a line each.
///
/// # Errors
/// Why there is no answer.
pub async fn ask<'a, S: AsyncRead + AsyncWrite + Unpin>(
    stream: &'a mut S,
    method: &str,
    Address { authority, path, .. }: &Address,
    headers: &str,
    body: &[u8],
) -> Result<Answer<'a, S>, String> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {authority}\r\nuser-agent: selfie/{}\r\nconnection: close\r\n{headers}\r\n",
        env!("CARGO_PKG_VERSION")
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await.map_err(|error| error.to_string())?;
    let mut rest = Vec::new();
    loop {
        if more(stream, &mut rest).await? == 0 {
            return Err("it closed the connection before it had answered".into());
        }
        if let Some(head) = parse(&rest)? {
            rest.drain(..head.length);
            return Ok(Answer { status: head.status, headers: head.headers, stream, rest });
        }
        if rest.len() > LONGEST_HEAD {
            return Err(format!("its answer has more than {LONGEST_HEAD} bytes before the body"));
        }
    }
}

/// Reads what comes next; gives its length, 0 at the end.
async fn more(stream: &mut (impl AsyncRead + Unpin), rest: &mut Vec<u8>) -> Result<usize, String> {
    stream.read_buf(rest).await.map_err(|error| error.to_string())
}

/// A head, once it is whole.
fn parse(bytes: &[u8]) -> Result<Option<Head>, String> {
    let mut headers = [EMPTY_HEADER; MOST_HEADERS];
    let mut response = Response::new(&mut headers);
    let Status::Complete(length) = response.parse(bytes).map_err(wrong)? else { return Ok(None) };
    let pair = |header: &Header<'_>| {
        (header.name.to_ascii_lowercase(), String::from_utf8_lossy(header.value).trim().to_owned())
    };
    let headers = response.headers.iter().map(pair).collect();
    Ok(Some(Head { status: response.code.unwrap_or_default(), headers, length }))
}

fn wrong(what: impl std::fmt::Display) -> String {
    format!("its answer is no HTTP: {what}")
}

impl<S: AsyncRead + Unpin> Answer<'_, S> {
    /// A header by its name in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The whole body.
    ///
    /// # Errors
    /// Why it is not there.
    pub async fn body(mut self, budget: &Budget) -> Result<Vec<u8>, String> {
        budget.take(self.rest.len())?;
        if self.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return self.chunks(budget).await;
        }
        if let Some(length) = self.header("content-length").map(str::parse::<usize>) {
            return self.exactly(length.map_err(|_| wrong("its length is no number"))?, budget).await;
        }
        while self.grow(budget).await? {}
        Ok(self.rest)
    }

    /// Reads what comes next; whether there was something.
    async fn grow(&mut self, budget: &Budget) -> Result<bool, String> {
        let length = more(self.stream, &mut self.rest).await?;
        budget.take(length)?;
        Ok(length > 0)
    }

    /// The next bytes.
    async fn exactly(&mut self, length: usize, budget: &Budget) -> Result<Vec<u8>, String> {
        while self.rest.len() < length {
            if !self.grow(budget).await? {
                return Err(format!("its answer ended after {} of {length} bytes", self.rest.len()));
            }
        }
        Ok(self.rest.drain(..length).collect())
    }

    async fn chunks(&mut self, budget: &Budget) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        loop {
            let sizeless = || wrong("a chunk has no size");
            let (line, size) = match parse_chunk_size(&self.rest).map_err(|_| sizeless())? {
                Status::Complete(found) => found,
                Status::Partial => {
                    if self.rest.len() >= LONGEST_LINE || !self.grow(budget).await? {
                        return Err(sizeless());
                    }
                    continue;
                }
            };
            self.rest.drain(..line);
            if size == 0 {
                return Ok(body);
            }
            body.extend(self.exactly(usize::try_from(size).map_err(|_| sizeless())?, budget).await?);
            // The end of the line.
            self.exactly(2, budget).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::Builder;

    fn address(url: &str) -> Address {
        Address::of(&url.parse().unwrap(), 80).unwrap()
    }

    /// What is made of an answer that comes in parts of this size.
    fn answered(answer: &str, part: usize, most: usize) -> Result<(u16, Vec<u8>), String> {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut here, mut there) = tokio::io::duplex(4096);
            let answer = answer.to_owned();
            tokio::spawn(async move {
                let mut request = [0; 15];
                there.read_exact(&mut request).await.unwrap();
                assert_eq!(&request, b"GET /a HTTP/1.1");
                for part in answer.as_bytes().chunks(part) {
                    // Whoever has read enough is gone.
                    if there.write_all(part).await.is_err() {
                        return;
                    }
                    tokio::task::yield_now().await;
                }
            });
            let answer = ask(&mut here, "GET", &address("http://host/a"), "x: y\r\n", b"").await?;
            let status = answer.status;
            Ok((status, answer.body(&Budget::new(most)).await?))
        })
    }

    #[test]
    fn an_answer_comes_whole_however_it_is_sent() {
        for (answer, status, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello worldmore", 200, "hello world"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n",
                200,
                "hello world",
            ),
            ("HTTP/1.0 200 OK\r\n\r\nhello world", 200, "hello world"),
            ("HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n", 503, ""),
        ] {
            for part in [1, 7, 1000] {
                assert_eq!(answered(answer, part, 1000), Ok((status, body.into())), "{part}: {answer}");
            }
        }
    }

    #[test]
    fn what_is_no_answer_is_told() {
        for (answer, expected) in [
            ("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello", "ended after 5 of 11 bytes"),
            ("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "no HTTP"),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "no HTTP"),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n", "ended after"),
            ("SSH-2.0-OpenSSH\r\n", "no HTTP"),
            ("HTTP/1.1 200", "closed the connection"),
            ("HTTP/1.1 200 OK\r\n\r\n01234567890123456789012345678901", "more bytes than"),
        ] {
            let reason = answered(answer, 1000, 20).unwrap_err();
            assert!(reason.contains(expected), "{answer:?}: {reason}");
        }
        let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(2 * LONGEST_HEAD));
        assert!(answered(&long, 1000, 20).unwrap_err().contains("before the body"));
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
