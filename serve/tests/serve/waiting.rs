use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use selfie_serve::Config;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Waits until the runtime has taken one of three items, runs `then`, and waits for the three.
pub fn while_busy(server: &Running, then: impl FnOnce()) {
    let images: Vec<String> = (0..3).map(|seed| base64(&png(seed))).collect();
    std::thread::scope(|scope| {
        let busy = scope.spawn(|| server.embed(&json!({"input": images})).len());
        let start = Instant::now();
        while server.metric("selfie_queue_depth{model=\"net\",version=\"1\"}") != 2.0 {
            assert!(start.elapsed() < Duration::from_secs(30), "the runtime takes nothing");
        }
        then();
        assert_eq!(busy.join().unwrap(), 3, "others do not notice");
    });
}

#[test]
fn a_request_that_waited_as_long_as_it_may_is_told_so() {
    let store = store(&[("net", Network::slow())]);
    let server = serve(Config { max_batch_size: 1, ..config(store.path()) });
    let image = base64(&png(9));
    while_busy(&server, || {
        let request = server.post("/v1/embeddings").header("x-max-wait-ms", 5).json(&json!({"input": image}));
        let response = request.send().unwrap();
        assert_eq!(response.status(), 504);
        let answer: Value = response.json().unwrap();
        assert_eq!((&answer["error"]["code"], &answer["error"]["type"]), (&json!("timeout"), &json!("server_error")));
    });
    let line = "selfie_requests_total{api=\"embeddings\",model=\"net\",outcome=\"timeout\",version=\"1\"}";
    assert_eq!(server.metric(line), 1.0);
    assert_eq!(server.metric("selfie_items_total{model=\"net\",version=\"1\"}"), 3.0, "the late one did not run");
}

#[test]
fn the_protocol_s_timeout_is_in_microseconds_and_answered_with_503() {
    let store = store(&[("net", Network::slow())]);
    let server = serve(Config { max_batch_size: 1, ..config(store.path()) });
    let infer = |timeout: u64| {
        let input = json!({"name": "pixel_values", "shape": [1], "datatype": "BYTES", "data": [base64(&png(9))]});
        server.json("/v2/models/net/infer", &json!({"inputs": [input], "parameters": {"timeout": timeout}}))
    };
    while_busy(&server, || {
        let response = infer(5_000);
        assert_eq!(response.status(), 503);
        assert!(response.json::<Value>().unwrap()["error"].as_str().unwrap().contains("may wait"));
    });
    // Now the server knows how long items take, and refuses at once what would be late.
    while_busy(&server, || {
        let response = infer(1);
        assert_eq!(response.status(), 429);
        let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!(seconds >= 1);
    });
    for timeout in [0, 60_000_000, u64::MAX] {
        assert_eq!(infer(timeout).status(), 200, "{timeout}");
    }
}

#[test]
fn the_server_may_limit_the_wait_and_a_client_only_shorten_it() {
    let store = store(&[("net", Network::slow())]);
    let server = serve(Config { max_batch_size: 1, max_wait_ms: 60_000, ..config(store.path()) });
    let ask = |wait: &str| {
        let request =
            server.post("/v1/classify").header("x-max-wait-ms", wait).json(&json!({"input": base64(&png(1))}));
        request.send().unwrap().status().as_u16()
    };
    assert_eq!(ask("99999999"), 200);
    assert_eq!(ask("soon"), 400);
    assert_eq!(ask("-1"), 400);
}
