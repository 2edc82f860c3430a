//! One message to a collector over HTTP, and its answer.
//!
//! # Source
//! OpenTelemetry's protocol, OTLP over HTTP with protobuf; RFC 9112 for HTTP/1.1.

use httparse::{EMPTY_HEADER, Response, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::transport::Uri;

/// Most bytes of an answer: it holds a number and a sentence.
const LARGEST: usize = 64 << 10;
const MOST_HEADERS: usize = 64;

/// Where messages go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    host: String,
    port: u16,
    authority: String,
    path: String,
}

impl Post {
    /// To an address with a path.
    pub fn to(uri: &Uri) -> Option<Self> {
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        let (authority, path) = (uri.authority()?.to_string(), uri.path_and_query()?.to_string());
        Some(Self { host, port: uri.port_u16().unwrap_or(80), authority, path })
    }

    /// Sends a message over a connection of its own and gives the body of the answer.
    ///
    /// # Errors
    /// There is no connection, or the answer is another than that the message was taken.
    pub async fn send(&self, body: &[u8]) -> Result<Vec<u8>, String> {
        let text = |error: std::io::Error| error.to_string();
        let mut stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(text)?;
        let Self { authority, path, .. } = self;
        let (version, length) = (env!("CARGO_PKG_VERSION"), body.len());
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {authority}\r\nuser-agent: selfie/{version}\r\nconnection: close\r\n\
             content-type: application/x-protobuf\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.map_err(text)?;
        stream.write_all(body).await.map_err(text)?;
        let mut answer = Vec::new();
        loop {
            let read = stream.read_buf(&mut answer).await.map_err(text)?;
            match parse(&answer, read == 0)? {
                Some((200..=299, body)) => return Ok(body),
                Some((status, _)) => return Err(format!("it answered {status}")),
                None if read == 0 => return Err("it closed the connection before it had answered".into()),
                None if answer.len() > LARGEST => return Err(format!("its answer has more than {LARGEST} bytes")),
                None => {}
            }
        }
    }
}

/// Status and body of an answer, once it is whole.
fn parse(bytes: &[u8], has_ended: bool) -> Result<Option<(u16, Vec<u8>)>, String> {
    let mut headers = [EMPTY_HEADER; MOST_HEADERS];
    let mut response = Response::new(&mut headers);
    let wrong = |what: &dyn std::fmt::Display| format!("its answer is no HTTP: {what}");
    let Status::Complete(head) = response.parse(bytes).map_err(|error| wrong(&error))? else { return Ok(None) };
    let status = response.code.unwrap_or_default();
    let header = |name: &str| {
        let found = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        found.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let rest = &bytes[head..];
    let body = if header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        chunks(rest).map_err(|error| wrong(&error))?
    } else if let Some(length) = header("content-length") {
        let length: usize = length.trim().parse().map_err(|error| wrong(&error))?;
        rest.get(..length).map(<[u8]>::to_vec)
    } else {
        has_ended.then(|| rest.to_vec())
    };
    Ok(body.map(|body| (status, body)))
}

/// The chunks of a body together, once the last one is there.
fn chunks(mut rest: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let mut body = Vec::new();
    loop {
        let chunk = httparse::parse_chunk_size(rest).map_err(|_| "a chunk has no size".to_owned())?;
        let Status::Complete((start, size)) = chunk else { return Ok(None) };
        if size == 0 {
            return Ok(Some(body));
        }
        let end = usize::try_from(size).ok().and_then(|size| start.checked_add(size));
        let end = end.filter(|end| *end <= LARGEST).ok_or("a chunk is too large")?;
        let Some(chunk) = rest.get(start..end) else { return Ok(None) };
        body.extend_from_slice(chunk);
        let Some(next) = rest.get(end + 2..) else { return Ok(None) };
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_all_of_it_is_there() {
        let ended = "HTTP/1.1 200 OK\r\n\r\nabc";
        let cases = [
            ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", 200, "abc"),
            ("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", 503, ""),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n", 200, "abc"),
        ];
        for (answer, status, body) in cases {
            for end in 0..answer.len() {
                assert_eq!(parse(&answer.as_bytes()[..end], false), Ok(None), "{:?}", &answer[..end]);
            }
            assert_eq!(parse(answer.as_bytes(), false), Ok(Some((status, body.as_bytes().to_vec()))), "{answer:?}");
        }
        assert_eq!(parse(ended.as_bytes(), false), Ok(None), "more may come");
        assert_eq!(parse(ended.as_bytes(), true), Ok(Some((200, b"abc".to_vec()))));
    }

    #[test]
    fn what_is_no_answer_is_said() {
        for answer in [
            "SSH-2.0-OpenSSH\r\n",
            "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        ] {
            let found = parse(answer.as_bytes(), false);
            assert!(found.as_ref().is_err_and(|reason| reason.contains("no HTTP")), "{answer:?}: {found:?}");
        }
    }

    #[test]
    fn an_address_is_taken_apart() {
        let of = |url: &str| Post::to(&url.parse().unwrap()).unwrap();
        let post = of("http://[::1]:4318/v1/traces?team=a");
        assert_eq!((post.host.as_str(), post.port, post.authority.as_str()), ("::1", 4318, "[::1]:4318"));
        assert_eq!(post.path, "/v1/traces?team=a");
        assert_eq!((of("http://tempo/otlp").port, of("http://tempo/otlp").path), (80, "/otlp".to_owned()));
    }
}
