use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use selfie_serve::Config;
use serde_json::{Value, json};
use std::io::Write;
use std::net::TcpStream;

/// Items of `net` that have run.
pub const DONE: &str = "selfie_items_total{model=\"net\",version=\"1\"}";
const WAITING: &str = "selfie_queue_depth{model=\"net\",priority=\"5\",version=\"1\"}";
/// Images of a crowd: more than a slow network gets done while a test is held up for some seconds.
pub const CROWD: u32 = 100;

/// A request with so many images that a slow network is busy for long. Its client leaves when this is dropped.
pub fn crowd(server: &Running) -> TcpStream {
    let images: Vec<String> = (0..CROWD).map(|seed| base64(&png(seed))).collect();
    let body = json!({"model": "net", "input": images}).to_string();
    let length = body.len();
    let head = format!(
        "POST /v1/embeddings HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(server.addr).unwrap();
    stream.write_all((head + &body).as_bytes()).unwrap();
    stream
}

/// Runs `then` while a crowd waits for the runtime and the server knows how long an item takes. Others who came meanwhile are
/// answered when the crowd has left.
pub fn while_busy(server: &Running, then: impl FnOnce()) {
    let images: Vec<String> = (0..3).map(|seed| base64(&png(seed))).collect();
    std::thread::scope(|scope| {
        let crowd = crowd(server);
        wait_until("the runtime takes nothing", || server.metric(DONE) > 0.0 && server.metric(WAITING) > 0.0);
        let others = scope.spawn(|| server.embed(&json!({"input": images})).len());
        then();
        drop(crowd);
        assert_eq!(others.join().unwrap(), 3, "others do not notice");
    });
    wait_until("the crowd does not go", || server.metric(WAITING) == 0.0);
}

#[test]
fn a_request_that_waited_as_long_as_it_may_is_told_so() {
    let store = store(&[("net", Network::slow())]);
    let server = serve(Config { max_batch_size: 1, ..config(store.path()) });
    // No machine decodes it in a millisecond, so it is late however idle the runtime is.
    let image = base64(&encode(&picture(9, 2500, 2000), image::ImageFormat::Png));
    let request = server.post("/v1/embeddings").header("x-max-wait-ms", 1).json(&json!({"input": image}));
    let response = request.send().unwrap();
    assert_eq!(response.status(), 504);
    let answer: Value = response.json().unwrap();
    assert_eq!((&answer["error"]["code"], &answer["error"]["type"]), (&json!("timeout"), &json!("server_error")));
    let line = "selfie_requests_total{api=\"embeddings\",model=\"net\",outcome=\"timeout\",version=\"1\"}";
    assert_eq!(server.metric(line), 1.0);
    assert_eq!(server.embed(&json!({"input": base64(&png(1))})).len(), 1);
    assert_eq!(server.metric(DONE), 1.0, "the late one did not run");
}

#[test]
fn the_protocol_s_timeout_is_in_microseconds_and_answered_with_503() {
    let store = store(&[("net", Network::slow())]);
    let server = serve(Config { max_batch_size: 1, ..config(store.path()) });
    let infer_image = |image: &[u8], timeout: u64, priority: u64| {
        let input = json!({"name": "pixel_values", "shape": [1], "datatype": "BYTES", "data": [base64(image)]});
        let parameters = json!({"timeout": timeout, "priority": priority});
        server.json("/v2/models/net/infer", &json!({"inputs": [input], "parameters": parameters}))
    };
    let infer = |timeout: u64, priority: u64| infer_image(&png(9), timeout, priority);
    // No machine decodes it in a millisecond, so it is late however idle the runtime is.
    let large = encode(&picture(9, 2500, 2000), image::ImageFormat::Png);
    let response = infer_image(&large, 1000, 0);
    assert_eq!(response.status(), 503);
    assert!(response.json::<Value>().unwrap()["error"].as_str().unwrap().contains("may wait"));
    while_busy(&server, || {
        // What would be late behind the crowd is refused at once, and at the highest priority what would be late behind the image that runs.
        for priority in [0, 1] {
            let response = infer(1, priority);
            assert_eq!(response.status(), 429, "{priority}");
            let seconds: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
            assert!(seconds >= 1);
        }
    });
    for timeout in [0, 60_000_000, u64::MAX] {
        assert_eq!(infer(timeout, 0).status(), 200, "{timeout}");
    }
}

#[test]
fn the_list_of_models_says_how_busy_each_is() {
    let store = store(&[("idle", Network::default()), ("net", Network::slow())]);
    let server = serve(Config { max_batch_size: 1, ..config(store.path()) });
    let stats = |model: usize| {
        let answer: Value = server.get("/v1/models").send().unwrap().json().unwrap();
        answer["data"][model]["stats"].clone()
    };
    let idle = json!({"queue_fraction": 0.0, "queue_absolute": 0, "results_pending": 0, "batch_size": 1});
    let crowd = crowd(&server);
    wait_until("nobody waits", || stats(1)["queue_absolute"].as_i64().unwrap() > 0);
    let busy = stats(1);
    assert_eq!(busy["results_pending"], 1, "{busy}");
    let fraction = busy["queue_absolute"].as_f64().unwrap() / 256.0;
    assert_eq!(busy["queue_fraction"].as_f64(), Some(fraction), "{busy}");
    assert_eq!(stats(0), idle);
    drop(crowd);
    wait_until("the crowd does not go", || stats(1) == idle);
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
