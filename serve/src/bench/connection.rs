//! One connection of the load: HTTP/1.1, one request at a time, kept alive. It does no more than the load needs, so that the
//! processors are left to the servers.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A server that takes longer has failed.
pub const TIMEOUT: Duration = Duration::from_secs(60);
const MAX_HEADERS: usize = 64;
const FIRST_READ_BYTES: usize = 16 << 10;

/// A connection to a server.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    read: usize,
}

/// The bytes of a POST request.
pub fn post(address: SocketAddr, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let len = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nhost: {address}\r\n{lines}content-length: {len}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// What the system said.
    pub fn open(address: SocketAddr) -> Result<Self, String> {
        let stream = TcpStream::connect_timeout(&address, TIMEOUT).map_err(text)?;
        stream.set_nodelay(true).map_err(text)?;
        stream.set_read_timeout(Some(TIMEOUT)).map_err(text)?;
        Ok(Self { stream, buffer: vec![0; FIRST_READ_BYTES], read: 0 })
    }

    /// Connects; what cannot be sent or received at once does not wait.
    ///
    /// # Errors
    /// What the system said.
    pub fn open_for_poll(address: SocketAddr) -> Result<Self, String> {
        let connection = Self::open(address)?;
        connection.stream.set_nonblocking(true).map_err(text)?;
        Ok(connection)
    }

    /// What the system waits for.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Forgets the answer before.
    pub fn begin(&mut self) {
        self.read = 0;
    }

    /// Sends as much of a request as fits, and says how much that is.
    ///
    /// # Errors
    /// The connection broke.
    pub fn send(&mut self, request: &[u8]) -> Result<usize, String> {
        match self.stream.write(request) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
            sent => sent.map_err(text),
        }
    }

    /// The body of the answer, once all of it is here.
    ///
    /// # Errors
    /// The connection broke, or the answer is no success; then with what it says.
    pub fn receive(&mut self) -> Result<Option<&[u8]>, String> {
        loop {
            if self.read == self.buffer.len() {
                self.buffer.resize(2 * self.read, 0);
            }
            match self.stream.read(&mut self.buffer[self.read..]) {
                Ok(0) => return Err("the server closed the connection".into()),
                Ok(more) => self.read += more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(text(error)),
            }
            let Some(head) = Head::read(&self.buffer[..self.read])? else { continue };
            let end = head.len + head.body_len;
            if self.read < end {
                continue;
            }
            let body = &self.buffer[head.len..end];
            return match head.status {
                200 => Ok(Some(body)),
                status => Err(format!("status {status}: {}", String::from_utf8_lossy(body))),
            };
        }
    }

    /// Sends a request and gives the body of its answer.
    ///
    /// # Errors
    /// The connection broke, or the answer is no success; then with what it says.
    pub fn ask(&mut self, request: &[u8]) -> Result<&[u8], String> {
        self.begin();
        self.stream.write_all(request).map_err(text)?;
        // What blocks says so after the timeout.
        self.receive()?.ok_or_else(|| format!("no answer within {} s", TIMEOUT.as_secs()))
    }
}

/// The head of an answer.
#[derive(Debug, PartialEq)]
struct Head {
    len: usize,
    status: u16,
    body_len: usize,
}

impl Head {
    /// The head, once it is whole.
    fn read(bytes: &[u8]) -> Result<Option<Self>, String> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(len) = response.parse(bytes).map_err(text)? else { return Ok(None) };
        let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
        let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.trim().parse().ok());
        let body_len = length.ok_or("the answer does not say how long it is")?;
        Ok(Some(Self { len, status: response.code.unwrap_or(0), body_len }))
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn answers_come_whole_however_they_are_cut() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let long = "x".repeat(3 * FIRST_READ_BYTES);
        let answers = [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello".to_owned(),
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{long}", long.len()),
            "HTTP/1.1 429 Too Many Requests\r\ncontent-length: 4\r\n\r\nfull".to_owned(),
        ];
        let request = post(address, "/embed", &[("content-type", "image/jpeg")], b"body");
        let len = request.len();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            for answer in &answers {
                let mut request = vec![0; len];
                stream.read_exact(&mut request).unwrap();
                assert!(request.ends_with(b"content-length: 4\r\n\r\nbody"));
                for part in answer.as_bytes().chunks(answer.len().div_ceil(3)) {
                    stream.write_all(part).unwrap();
                    stream.flush().unwrap();
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        });
        let mut connection = Connection::open(address).unwrap();
        assert_eq!(connection.ask(&request), Ok("hello".as_bytes()));
        assert_eq!(connection.ask(&request), Ok(long.as_bytes()));
        assert_eq!(connection.ask(&request), Err("status 429: full".into()));
        server.join().unwrap();
        assert!(connection.ask(&request).is_err(), "the server has gone");
    }

    #[test]
    fn a_head_that_cannot_be_used_is_refused() {
        assert_eq!(Head::read(b"HTTP/1.1 200 OK\r\ncontent-le"), Ok(None));
        assert!(Head::read(b"HTTP/1.1 200 OK\r\n\r\n").unwrap_err().contains("how long"));
        assert!(Head::read(b"SSH-2.0\r\n\r\n").is_err());
    }
}
