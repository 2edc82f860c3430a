use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use super::waiting::{CROWD, DONE, crowd};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

pub const CANCELED: &str = "selfie_items_canceled_total{model=\"net\",version=\"1\"}";

#[test]
fn a_client_that_leaves_is_not_worked_for() {
    let store = store(&[("net", Network::slow())]);
    let server = serve(selfie_serve::Config { max_batch_size: 1, ..config(store.path()) });
    let crowd = crowd(&server);
    wait_until("nothing of the crowd runs", || server.metric(DONE) > 0.0);
    drop(crowd);
    let requests = "selfie_requests_total{api=\"embeddings\",model=\"net\",outcome=\"canceled\",version=\"1\"}";
    wait_until("the request still counts as one in flight", || server.metric(requests) == 1.0);
    let all = f64::from(CROWD);
    wait_until("items are lost", || server.metric(CANCELED) + server.metric(DONE) == all);
    let skipped = server.metric(CANCELED);
    assert!(skipped >= all / 2.0, "{skipped} of {all} items were skipped");
    assert_eq!(server.embed(&json!({"input": base64(&png(1))})).len(), 1);
    assert_eq!(server.metric(DONE), all - skipped + 1.0);
}

#[test]
fn a_body_that_comes_by_drops_is_cut() {
    let store = store(&[("net", Network::default())]);
    let server = serve(selfie_serve::Config { body_timeout_ms: 300, ..config(store.path()) });
    let mut stream = TcpStream::connect(server.addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head =
        "POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99999\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let start = Instant::now();
    let mut drops = stream.try_clone().unwrap();
    let dripping = std::thread::spawn(move || {
        // Something comes ten times as often as it must, until the connection is closed.
        while drops.write_all(b" ").is_ok() && start.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(30));
        }
    });
    let mut answer = [0; 4096];
    let count = stream.read(&mut answer).unwrap();
    let took = start.elapsed();
    let answer = String::from_utf8_lossy(&answer[..count]);
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("slower than 8192 bytes a second"), "{answer}");
    assert!(took >= Duration::from_millis(590), "{took:?}");
    drop(stream);
    dripping.join().unwrap();
}

#[test]
fn a_body_that_stops_coming_is_waited_for_no_longer_than_said() {
    let store = store(&[("net", Network::default())]);
    let server = serve(selfie_serve::Config { body_timeout_ms: 300, ..config(store.path()) });
    for path in ["/v1/embeddings", "/v2/models/net/infer", "/v2/repository/index"] {
        let mut stream = TcpStream::connect(server.addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap_or_else(|error| panic!("{path}: the connection stays open: {error}"));
        assert!(answer.starts_with("HTTP/1.1 408"), "{path}: {answer}");
        assert!(answer.contains("nothing of the request body came for 300 ms"), "{path}: {answer}");
    }
    assert_eq!(server.embed(&json!({"input": base64(&png(1))})).len(), 1);
}
