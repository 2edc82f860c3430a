use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use selfie_serve::Config;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

/// A host with images, until the process ends.
fn host() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let answers = |stream: TcpStream| drop(std::thread::spawn(move || answer(stream)));
    std::thread::spawn(move || listener.incoming().flatten().for_each(answers));
    addr
}

fn answer(mut stream: TcpStream) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).is_ok_and(|read| read == 0) {
            return;
        }
        request.push(byte[0]);
    }
    let request = String::from_utf8(request).unwrap();
    let path = request.split(' ').nth(1).unwrap();
    let image = png(3);
    let whole =
        |body: &[u8]| [format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat();
    let bytes = match path {
        "/a.png?x=1" => whole(&image),
        "/chunked.png" => {
            let (first, second) = image.split_at(100);
            let chunk = |part: &[u8]| [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
            let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
            [head, chunk(first), chunk(second), b"0\r\n\r\n".to_vec()].concat()
        }
        "/text" => whole(b"no image"),
        "/large" => whole(&[0; 100_000]),
        "/moved" => b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\n\r\n".to_vec(),
        "/slow" => {
            // Until whoever asks is gone.
            let _ = stream.read(&mut [0]);
            return;
        }
        _ => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
    };
    let _ = stream.write_all(&bytes);
}

fn fetching(store: &Path, hosts: &[String], longest: Duration) -> Running {
    let (fetch_hosts, fetch_timeout_ms) = (hosts.to_vec(), longest.as_millis() as u64);
    serve(Config { fetch_hosts, fetch_timeout_ms, max_body_bytes: 50_000, ..config(store) })
}

#[test]
fn images_are_fetched_from_the_hosts_that_are_named() {
    let store = store(&[("net", Network::default())]);
    let host = host();
    let server = fetching(store.path(), &[host.to_string()], PATIENCE);
    let expected = server.embed(&json!({"input": base64(&png(3))})).remove(0);
    let (plain, chunked) = (format!("http://{host}/a.png?x=1"), format!("http://{host}/chunked.png"));
    let found = server.embed(&json!({"input": [plain, base64(&png(4)), {"image": chunked}]}));
    assert_close(&found[0], &expected, "plain");
    assert_close(&found[2], &expected, "chunked");
    let message = json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": plain}}]}]);
    assert_close(&server.embed(&json!({"messages": message}))[0], &expected, "a message");
    let many = vec![plain; 20];
    assert_eq!(server.embed(&json!({"input": many})).len(), 20);
    // The first one has no URL in it.
    let fetched = "selfie_stage_duration_seconds_count{model=\"net\",stage=\"fetch\",version=\"1\"}";
    assert_eq!(server.metric(fetched), 3.0);
}

#[test]
fn nothing_else_is_fetched_and_the_reason_is_told() {
    let store = store(&[("net", Network::default())]);
    let host = host();
    let hosts = [host.to_string(), format!("localhost:{}", host.port())];
    let server = fetching(store.path(), &hosts, PATIENCE);
    let hasty = fetching(store.path(), &hosts, Duration::from_millis(200));
    let at = |path: &str| format!("http://{host}{path}");
    let cases = [
        (at("/text"), "is not an image"),
        (at("/nowhere"), "answers 404"),
        (at("/moved"), "leads to http://169.254.169.254/, which is not followed"),
        (at("/large"), "more bytes than"),
        (format!("http://127.0.0.1:{}/a.png", server.addr.port()), "no host that this server fetches from"),
        (format!("http://localhost:{}/a.png?x=1", host.port()), "leads into a private network"),
        ("http://169.254.169.254/latest/meta-data".to_owned(), "no host that this server fetches from"),
        ("file:///etc/passwd".to_owned(), "is at a URL"),
    ];
    let cases = cases.into_iter().map(|(url, expected)| (&server, url, expected));
    for (server, url, expected) in cases.chain([(&hasty, at("/slow"), "within 200 ms")]) {
        let response = server.json("/v1/embeddings", &json!({"input": [base64(&png(1)), url]}));
        let status = response.status();
        let answer: Value = response.json().unwrap();
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(
            status == 400 && message.starts_with("image 1: ") && message.contains(expected),
            "{url}: {status} {answer}"
        );
    }
}
