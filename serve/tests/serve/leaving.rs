use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[test]
fn a_client_that_leaves_is_not_worked_for() {
    let store = store(&[("net", Network::slow())]);
    let server = serve(selfie_serve::Config { max_batch_size: 1, ..config(store.path()) });
    let images: Vec<String> = (0..30).map(|seed| base64(&png(seed))).collect();
    let body = json!({"input": images}).to_string();
    let start = Instant::now();
    assert_eq!(server.embed(&json!({"input": images[0]})).len(), 1);
    let one = start.elapsed();

    let mut stream = TcpStream::connect(server.addr).unwrap();
    let length = body.len();
    let head = format!(
        "POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    std::thread::sleep(one);
    drop(stream);

    let canceled = "selfie_items_canceled_total{model=\"net\",version=\"1\"}";
    let start = Instant::now();
    while server.metric(canceled) == 0.0 && start.elapsed() < one * 20 {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(server.embed(&json!({"input": images[1]})).len(), 1);
    let (skipped, done) = (server.metric(canceled), server.metric("selfie_items_total{model=\"net\",version=\"1\"}"));
    assert!(skipped >= 15.0, "{skipped} of 30 items were skipped, {done} ran");
    assert_eq!(skipped + done, 32.0);
    let requests = "selfie_requests_total{api=\"embeddings\",model=\"net\",outcome=\"canceled\",version=\"1\"}";
    assert_eq!(server.metric(requests), 1.0);
}

#[test]
fn a_body_that_stops_coming_is_waited_for_no_longer_than_said() {
    let store = store(&[("net", Network::default())]);
    let server = serve(selfie_serve::Config { body_timeout_ms: 300, ..config(store.path()) });
    for path in ["/v1/embeddings", "/v2/models/net/infer", "/v2/repository/index"] {
        let mut stream = TcpStream::connect(server.addr).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let start = Instant::now();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408"), "{path}: {answer}");
        assert!(answer.contains("nothing of the request body came for 300 ms"), "{path}: {answer}");
        assert!(start.elapsed() < Duration::from_secs(10), "{path}: the connection stays open");
    }
    assert_eq!(server.embed(&json!({"input": base64(&png(1))})).len(), 1);
}
