use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use selfie_serve::{Config, Server};
use serde_json::json;
use std::time::{Duration, Instant};

#[test]
fn an_idle_server_ends_at_once_even_with_open_connections() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    assert_eq!(server.embed(&json!({"input": base64(&png(1))})).len(), 1);
    let _open = std::net::TcpStream::connect(server.addr).unwrap();
    let start = Instant::now();
    server.stopper.stop();
    server.join().unwrap();
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn what_is_in_flight_is_finished_before_the_end() {
    let store = store(&[("net", Network::slow())]);
    let server = serve(Config { max_batch_size: 1, ..config(store.path()) });
    let images: Vec<String> = (0..6).map(|seed| base64(&png(seed))).collect();
    let stopper = server.stopper.clone();
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| server.embed(&json!({"input": images})).len());
        while server.metric("selfie_items_total{model=\"net\",version=\"1\"}") == 0.0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        stopper.stop();
        assert_eq!(asking.join().unwrap(), 6);
    });
    let client = server.client.clone();
    let url = server.url.clone();
    server.join().unwrap();
    assert!(client.get(url).send().is_err(), "the address is free again");
}

#[test]
fn readiness_turns_red_before_anything_is_refused() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { drain_delay_ms: 1500, ..config(store.path()) });
    assert_eq!(server.get("/v2/health/ready").send().unwrap().status(), 200);
    server.stopper.stop();
    let start = Instant::now();
    while server.get("/v2/health/ready").send().unwrap().status() == 200 && start.elapsed() < Duration::from_secs(1) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(server.get("/v2/health/ready").send().unwrap().status(), 503);
    assert_eq!(server.get("/v2/health/live").send().unwrap().status(), 200);
    assert_eq!(server.embed(&json!({"input": base64(&png(1))})).len(), 1);
    server.join().unwrap();
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
