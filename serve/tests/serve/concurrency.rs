use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use serde_json::{Value, json};
use std::sync::Barrier;
use std::time::Duration;

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
    assert_eq!(server.embed(&json!({"input": images})).len(), 12);
    let batches = server.metric("selfie_batches_total{model=\"net\",version=\"1\"}");
    assert!(batches <= 3.0, "{batches} batches for 12 items that came together");
}

#[test]
fn a_full_queue_is_answered_at_once_with_a_time_to_come_back() {
    let store = store(&[("net", Network::slow())]);
    let server = serve(selfie_serve::Config { max_batch_size: 1, max_queue_items: 2, ..config(store.path()) });
    let barrier = Barrier::new(12);
    let body = json!({"input": base64(&png(1))});
    let answers: Vec<(u16, Option<String>)> = std::thread::scope(|scope| {
        let ask = || {
            barrier.wait();
            let response = server.json("/v1/embeddings", &body);
            let retry = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
            (response.status().as_u16(), retry)
        };
        let threads: Vec<_> = (0..12).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let served = answers.iter().filter(|(status, _)| *status == 200).count();
    let refused = answers.iter().filter(|(status, retry)| {
        *status == 429 && retry.as_ref().is_some_and(|seconds| seconds.parse::<u64>().unwrap() >= 1)
    });
    assert!(served >= 1 && refused.clone().count() >= 1 && served + refused.count() == 12, "{answers:?}");
    let rejected = "selfie_requests_total{api=\"embeddings\",model=\"net\",outcome=\"rejected\",version=\"1\"}";
    assert_eq!(server.metric(rejected), (12 - served) as f64);
    // Too many for the queue at any time is too large, not busy.
    let three = vec![base64(&png(1)); 3];
    assert_eq!(server.json("/v1/embeddings", &json!({"input": three})).status(), 413);
    std::thread::sleep(Duration::from_millis(10));
    assert_eq!(server.json("/v1/embeddings", &body).status(), 200);
}
