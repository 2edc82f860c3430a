use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use selfie_serve::{Config, Server};
use serde_json::json;
use std::time::{Duration, Instant};

/// How long a server may drain whose end must not take so long.
pub const DRAIN_MS: u64 = 120_000;

#[test]
fn an_idle_server_ends_at_once_even_with_open_connections() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { drain_timeout_ms: DRAIN_MS, ..config(store.path()) });
    assert_eq!(server.embed(&json!({"input": base64(&png(1))})).len(), 1);
    let _open = std::net::TcpStream::connect(server.addr).unwrap();
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
