use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use super::waiting::{CROWD, while_busy};
use serde_json::{Value, json};
use std::sync::Barrier;

#[test]
fn a_hundred_at_once_get_what_each_gets_alone() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let bodies: Vec<Value> = (0..100).map(|seed| json!({"input": base64(&png(seed))})).collect();
    let alone: Vec<Vec<f32>> = bodies.iter().map(|body| server.embed(body).remove(0)).collect();
    let batches = |server: &Running| server.metric("selfie_batches_total{model=\"net\",version=\"1\"}");
    let before = batches(&server);
    let barrier = Barrier::new(bodies.len());
    std::thread::scope(|scope| {
        for (body, alone) in bodies.iter().zip(&alone) {
            let (server, barrier) = (&server, &barrier);
            scope.spawn(move || {
                barrier.wait();
                assert_close(&server.embed(body)[0], alone, "together");
            });
        }
    });
    assert!(batches(&server) - before <= 100.0);
    assert_eq!(server.metric("selfie_items_total{model=\"net\",version=\"1\"}"), 200.0);
}

#[test]
fn items_of_one_request_share_a_batch() {
    let store = store(&[("net", Network::slow())]);
    let server = serve(config(store.path()));
    let images: Vec<String> = (0..12).map(|seed| base64(&png(seed))).collect();
    let batches = || server.metric("selfie_batches_total{model=\"net\",version=\"1\"}");
    let again = |_| {
        let before = batches();
        assert_eq!(server.embed(&json!({"input": images})).len(), 12);
        batches() - before
    };
    // Decoders that are held up for as long as a batch takes spread the items once, not every time.
    let tries: Vec<f64> = (0..5).map(again).take_while(|batches| *batches > 3.0).collect();
    assert!(tries.len() < 5, "{tries:?} batches for 12 items that came together");
}

#[test]
fn a_full_queue_is_answered_at_once_with_a_time_to_come_back() {
    let store = store(&[("net", Network::slow())]);
    // Room for a crowd and some others.
    let max_queue_items = CROWD as usize + 10;
    let server = serve(selfie_serve::Config { max_batch_size: 1, max_queue_items, ..config(store.path()) });
    let body = |count: usize| json!({"input": vec![base64(&png(1)); count]});
    let barrier = Barrier::new(12);
    while_busy(&server, || {
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    barrier.wait();
                    let response = server.json("/v1/embeddings", &body(max_queue_items));
                    assert_eq!(response.status(), 429);
                    let retry = response.headers()["retry-after"].to_str().unwrap();
                    assert!(retry.parse::<u64>().unwrap() >= 1, "{retry}");
                });
            }
        });
    });
    let rejected = "selfie_requests_total{api=\"embeddings\",model=\"net\",outcome=\"rejected\",version=\"1\"}";
    assert_eq!(server.metric(rejected), 12.0);
    // Too many for the queue at any time is too large, not busy.
    assert_eq!(server.json("/v1/embeddings", &body(max_queue_items + 1)).status(), 413);
    assert_eq!(server.json("/v1/embeddings", &body(1)).status(), 200);
}
