use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use selfie_serve::{Config, Server};
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a server may drain whose end must not take so long.
pub const DRAIN_MS: u64 = 120_000;

#[test]
fn an_idle_server_ends_at_once_even_with_open_connections() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { drain_timeout_ms: DRAIN_MS, ..config(store.path()) });
    assert_eq!(server.embed(&json!({"input": base64(&png(1))})).len(), 1);
    let _open = TcpStream::connect(server.addr).unwrap();
    let start = Instant::now();
    server.stopper.stop();
    server.join().unwrap();
    assert!(start.elapsed() < Duration::from_millis(DRAIN_MS / 2), "{:?}", start.elapsed());
}

#[test]
fn what_is_in_flight_is_finished_before_the_end() {
    let store = store(&[("draining", Network::slow())]);
    let server = serve(Config { max_batch_size: 1, ..config(store.path()) });
    let images: Vec<String> = (0..6).map(|seed| base64(&png(seed))).collect();
    let stopper = server.stopper.clone();
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| server.embed(&json!({"input": images})).len());
        wait_until("nothing runs", || server.metric("selfie_items_total{model=\"draining\",version=\"1\"}") > 0.0);
        stopper.stop();
        assert_eq!(asking.join().unwrap(), 6);
    });
    let client = server.client.clone();
    let url = format!("{}/v1/models/draining", server.url);
    server.join().unwrap();
    // The server of another test may have the address by now.
    let answers = client.get(url).send().is_ok_and(|answer| answer.status() == 200);
    assert!(!answers, "the address is free again");
}

#[test]
fn readiness_turns_red_before_anything_is_refused() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { drain_delay_ms: 3_600_000, ..config(store.path()) });
    assert_eq!(server.get("/v2/health/ready").send().unwrap().status(), 200);
    server.stopper.stop();
    wait_until("the readiness stays green", || server.get("/v2/health/ready").send().unwrap().status() == 503);
    assert_eq!(server.get("/v2/health/live").send().unwrap().status(), 200);
    assert_eq!(server.embed(&json!({"input": base64(&png(1))})).len(), 1);
    // Nobody waits for the end of the delay, which is beyond all that a slow machine takes: the process takes the server along.
    std::mem::forget(server);
}

/// Asks for an image on a connection that may go on; whether the server ends it.
fn ask(stream: &mut TcpStream) -> bool {
    let body = json!({"input": base64(&png(1))}).to_string();
    let length = body.len();
    let head = format!(
        "POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    loop {
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0, "the connection ends without an answer");
        answer.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&answer).to_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            assert!(head.starts_with("http/1.1 200"), "{text}");
            return head.lines().any(|line| line == "connection: close");
        }
    }
}

#[test]
fn clients_of_busy_connections_are_sent_away_before_the_end() {
    let store = store(&[("net", Network::default())]);
    let going = serve(Config { drain_delay_ms: 3000, ..config(store.path()) });
    let staying = serve(config(store.path()));
    let (asked, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let client = || {
        let mut stream = TcpStream::connect(going.addr).unwrap();
        let mut ended = 0;
        while !is_over.load(Ordering::SeqCst) {
            if ask(&mut stream) {
                stream = TcpStream::connect(staying.addr).unwrap();
                ended += 1;
            }
            asked.fetch_add(1, Ordering::SeqCst);
        }
        ended
    };
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(client)).collect();
        wait_until("nobody asks", || asked.load(Ordering::SeqCst) > 20);
        going.stopper.stop();
        wait_until("it does not end", || TcpStream::connect(going.addr).is_err());
        is_over.store(true, Ordering::SeqCst);
        assert!(clients.into_iter().all(|client| client.join().unwrap() == 1), "each connection was ended once");
    });
    assert!(going.join().is_ok());
}

#[test]
fn the_end_does_not_take_longer_than_it_may() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { drain_timeout_ms: 3000, ..config(store.path()) });
    let mut stream = TcpStream::connect(server.addr).unwrap();
    let head =
        "POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    stream.write_all(head.as_bytes()).unwrap();
    // It, and the one that asks.
    wait_until("it does not come in", || server.metric("selfie_in_flight") == 2.0);
    let start = Instant::now();
    server.stopper.stop();
    server.join().unwrap();
    let took = start.elapsed();
    assert!(took >= Duration::from_secs(3) && took < Duration::from_millis(5500), "{took:?}");
}

#[test]
fn a_taken_port_and_a_wrong_option_are_told() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let taken = Config { port: server.addr.port(), ..config(store.path()) };
    let message = Server::bind(taken).err().unwrap().to_string();
    assert!(message.contains(&server.addr.to_string()) && message.contains("another program"), "{message}");
    let message = Server::bind(Config { max_batch_size: 0, ..config(store.path()) }).err().unwrap().to_string();
    assert!(message.contains("max_batch_size"), "{message}");
}
