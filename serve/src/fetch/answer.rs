//! One request by HTTP, and the body of its answer.
//!
//! # Source
//! RFC 9112, HTTP/1.1.

use httparse::{EMPTY_HEADER, Status, parse_chunk_size};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Most bytes of the head of an answer, and of the line before a chunk.
const LONGEST_HEAD: usize = 16 << 10;
const LONGEST_LINE: usize = 256;
const MOST_HEADERS: usize = 64;

/// The bytes that bodies may still have together.
pub struct Budget(pub AtomicUsize);

/// What the head of an answer says.
struct Head {
    status: u16,
    length: Option<usize>,
    is_chunked: bool,
    /// What the body is packed in, if it is.
    encoding: Option<String>,
    location: Option<String>,
}

impl Budget {
    fn take(&self, bytes: usize) -> Result<(), String> {
        let rest = |left: usize| left.checked_sub(bytes);
        let taken = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, rest);
        taken.map(drop).map_err(|_| "has more bytes than the body of a request may have".to_owned())
    }
}

/// Asks for what is at `path` and gives the body.
///
/// # Errors
/// Why there is none, as the rest of a sentence.
pub async fn get(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    authority: &str,
    path: &str,
    budget: &Budget,
) -> Result<Vec<u8>, String> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {authority}\r\nuser-agent: selfie/{}\r\naccept: image/*\r\naccept-encoding: identity\r\n\
         connection: close\r\n\r\n",
        env!("CARGO_PKG_VERSION")
    );
    stream.write_all(request.as_bytes()).await.map_err(|error| format!("{authority} cannot be asked: {error}"))?;
    let mut rest = Vec::new();
    let head = loop {
        if more(stream, &mut rest).await? == 0 {
            return Err(format!("{authority} closed the connection before it had answered"));
        }
        if let Some((head, length)) = Head::parse(&rest)? {
            rest.drain(..length);
            break head;
        }
        if rest.len() > LONGEST_HEAD {
            return Err(format!("{authority} gave an answer with more than {LONGEST_HEAD} bytes before the body"));
        }
    };
    head.check(authority)?;
    budget.take(rest.len())?;
    let mut body = Body { stream, rest, budget };
    match head.length {
        _ if head.is_chunked => body.chunks().await,
        Some(length) => body.exactly(length).await,
        None => body.whole().await,
    }
}

/// Reads what comes next; gives its length, 0 at the end.
async fn more(stream: &mut (impl AsyncRead + Unpin), rest: &mut Vec<u8>) -> Result<usize, String> {
    stream.read_buf(rest).await.map_err(|error| format!("broke off: {error}"))
}

impl Head {
    /// The head and its length, once it is whole.
    fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, String> {
        let mut headers = [EMPTY_HEADER; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let Status::Complete(end) = response.parse(bytes).map_err(|error| format!("is no answer of HTTP: {error}"))?
        else {
            return Ok(None);
        };
        let value = |name: &str| {
            let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
            Some(String::from_utf8_lossy(header.value).trim().to_owned())
        };
        let length = value("content-length").map(|length| length.parse::<usize>()).transpose();
        let head = Self {
            status: response.code.unwrap_or_default(),
            length: length.map_err(|_| "has a length that is no number".to_owned())?,
            is_chunked: value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")),
            encoding: value("content-encoding").filter(|encoding| !encoding.eq_ignore_ascii_case("identity")),
            location: value("location"),
        };
        Ok(Some((head, end)))
    }

    fn check(&self, authority: &str) -> Result<(), String> {
        match (self.status, &self.location, &self.encoding) {
            (300..=399, Some(location), _) => {
                Err(format!("{authority} leads to {location}, which is not followed; send that"))
            }
            (200, _, Some(encoding)) => Err(format!("{authority} packs it in {encoding}, which was not asked for")),
            (200, ..) => Ok(()),
            (status, ..) => Err(format!("{authority} answers {status}")),
        }
    }
}

/// A body on its way.
struct Body<'a, S> {
    stream: &'a mut S,
    /// What has come and is not used yet.
    rest: Vec<u8>,
    budget: &'a Budget,
}

impl<S: AsyncRead + Unpin> Body<'_, S> {
    /// Reads what comes next; whether there was something.
    async fn grow(&mut self) -> Result<bool, String> {
        let length = more(self.stream, &mut self.rest).await?;
        self.budget.take(length)?;
        Ok(length > 0)
    }

    /// The next bytes.
    async fn exactly(&mut self, length: usize) -> Result<Vec<u8>, String> {
        while self.rest.len() < length {
            if !self.grow().await? {
                return Err(format!("ended after {} of {length} bytes", self.rest.len()));
            }
        }
        Ok(self.rest.drain(..length).collect())
    }

    /// Everything until the end.
    async fn whole(mut self) -> Result<Vec<u8>, String> {
        while self.grow().await? {}
        Ok(self.rest)
    }

    async fn chunks(&mut self) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        loop {
            let wrong = || "has a chunk without a size".to_owned();
            let (line, size) = match parse_chunk_size(&self.rest).map_err(|_| wrong())? {
                Status::Complete(found) => found,
                Status::Partial => {
                    if self.rest.len() >= LONGEST_LINE || !self.grow().await? {
                        return Err(wrong());
                    }
                    continue;
                }
            };
            self.rest.drain(..line);
            if size == 0 {
                return Ok(body);
            }
            let size = usize::try_from(size).map_err(|_| wrong())?;
            body.extend(self.exactly(size).await?);
            // The end of the line.
            self.exactly(2).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::runtime::Builder;

    /// What is made of an answer that comes in parts of this size.
    fn answered(answer: &str, part: usize, most: usize) -> Result<Vec<u8>, String> {
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
            get(&mut here, "host", "/a", &Budget(AtomicUsize::new(most))).await
        })
    }

    #[test]
    fn a_body_comes_whole_however_it_is_sent() {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello worldmore",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\nhello world",
        ] {
            for part in [1, 7, 1000] {
                assert_eq!(answered(answer, part, 1000), Ok(b"hello world".to_vec()), "{part}: {answer}");
            }
        }
    }

    #[test]
    fn what_is_no_image_is_told() {
        for (answer, expected) in [
            ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "host answers 404"),
            (
                "HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/\r\n\r\n",
                "leads to http://10.0.0.1/, which is not followed",
            ),
            ("HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello", "ended after 5 of 11 bytes"),
            ("HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", "no number"),
            ("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n", "packs it in gzip"),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "without a size"),
            ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffff\r\nx", "ended after"),
            ("SSH-2.0-OpenSSH\r\n", "no answer of HTTP"),
            ("HTTP/1.1 200", "closed the connection"),
            ("HTTP/1.1 200 OK\r\n\r\n01234567890123456789012345678901", "more bytes than"),
        ] {
            let reason = answered(answer, 1000, 20).unwrap_err();
            assert!(reason.contains(expected), "{answer:?}: {reason}");
        }
        let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(2 * LONGEST_HEAD));
        assert!(answered(&long, 1000, 20).unwrap_err().contains("before the body"));
    }
}
