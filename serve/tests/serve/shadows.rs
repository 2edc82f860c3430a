use super::client::*;
use super::labels::put;
use super::network::Network;
use super::pictures::*;
use prost::Message;
use selfie_models::card::CARD_KEY;
use selfie_serve::{Config, Server};
use serde_json::json;
use std::path::Path;
use std::time::{Duration, Instant};
use tract_onnx::pb::StringStringEntryProto;

/// A store with the model `net`: version 1 is live, version 2 its shadow.
fn store(live: &Network, shadow: &Network) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    live.write("net", &root.path().join("net/1/model.onnx"));
    shadow.write("net", &root.path().join("net/2/model.onnx"));
    put(root.path(), "shadow = 2\n[labels]\nstable = 1\ncanary = 2\n");
    root
}

/// A network whose class scores are no numbers.
fn broken(path: &Path) {
    let network = Network { golden: false, ..Network::default() };
    let mut model = network.model();
    let head = model.graph.as_mut().unwrap().initializer.iter_mut().find(|tensor| tensor.name == "head").unwrap();
    head.raw_data = head.raw_data.chunks(4).flat_map(|_| f32::NAN.to_le_bytes()).collect();
    let value = network.card("net").to_json().unwrap();
    model.metadata_props.push(StringStringEntryProto { key: CARD_KEY.into(), value });
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, model.encode_to_vec()).unwrap();
}

fn outcome(server: &Running, outcome: &str) -> f64 {
    let line = format!("selfie_shadow_total{{model=\"net\",outcome=\"{outcome}\",shadow=\"2\",version=\"1\"}}");
    server.metric(&line)
}

/// How many items were compared, dropped and failed, as soon as they are `count`.
fn outcomes(server: &Running, count: usize) -> [f64; 3] {
    let start = Instant::now();
    loop {
        let found = ["compared", "dropped", "failed"].map(|name| outcome(server, name));
        if found.iter().sum::<f64>() >= count as f64 {
            assert_eq!(found.iter().sum::<f64>(), count as f64, "{found:?}");
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{found:?} of {count}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Number and sum of the cosines, and how often both gave the same class.
fn agreement(server: &Running) -> [f64; 3] {
    let labels = "model=\"net\",shadow=\"2\",version=\"1\"";
    [
        server.metric(&format!("selfie_shadow_cosine_count{{{labels}}}")),
        server.metric(&format!("selfie_shadow_cosine_sum{{{labels}}}")),
        server.metric(&format!("selfie_shadow_class_total{{agrees=\"true\",{labels}}}")),
    ]
}

#[test]
fn an_equal_version_agrees_on_every_item_and_answers_nobody() {
    let store = store(&Network::default(), &Network::default());
    let server = serve(config(store.path()));
    for seed in 0..10 {
        server.embed(&json!({"input": [base64(&png(seed)), base64(&jpeg(seed))]}));
    }
    let tensor = json!({"name": "pixel_values", "shape": [1, 3, 8, 8], "datatype": "FP32", "data": vec![0.5; 192]});
    let body = json!({"inputs": [tensor]});
    assert_eq!(server.json("/v2/models/net/infer", &body).headers()["x-model-version"], "1");
    let [compared, _, failed] = outcomes(&server, 21);
    assert!(compared >= 1.0 && failed == 0.0);
    let [cosines, sum, agreed] = agreement(&server);
    assert_eq!((cosines, agreed), (compared, compared));
    assert!((sum - compared).abs() <= f64::from(super::network::TOLERANCE), "{sum} of {compared}");
    assert_eq!(server.metric("selfie_items_total{model=\"net\",version=\"2\"}"), compared);
    let answered = "selfie_requests_total{api=\"embeddings\",model=\"net\",outcome=\"ok\",version=\"2\"}";
    assert_eq!(server.metric(answered), 0.0);
    assert_eq!(server.metric("selfie_queue_depth{model=\"net\",priority=\"5\",version=\"2\"}"), 0.0);

    // Those that name a version are not compared, nor are those that fail.
    assert_eq!(server.json("/v2/models/net/versions/1/infer", &body).status(), 200);
    assert_eq!(server.json("/v1/embeddings", &json!({"input": base64(b"no image")})).status(), 400);
    std::thread::sleep(Duration::from_millis(100));
    outcomes(&server, 21);
}

#[test]
fn another_network_agrees_less() {
    let store = store(&Network::default(), &Network { widths: vec![5, 4], ..Network::default() });
    let server = serve(config(store.path()));
    for seed in 0..10 {
        server.embed(&json!({"input": base64(&png(seed))}));
    }
    let [compared, _, failed] = outcomes(&server, 10);
    let [cosines, sum, _] = agreement(&server);
    assert!(cosines == compared && failed == 0.0 && compared >= 1.0);
    assert!(sum < compared * 0.999, "{sum} of {compared}");
}

#[test]
fn a_busy_shadow_is_left_out_and_nobody_waits_for_it() {
    let quick = Network { widths: vec![64], ..Network::slow() };
    let store = store(&quick, &Network::slow());
    let server = serve(Config { max_batch_size: 1, max_queue_items: 1, ..config(store.path()) });
    for seed in 0..8 {
        server.embed(&json!({"input": base64(&png(seed))}));
    }
    // What the shadow holds takes no place from those who ask the same version.
    server.embed(&json!({"model": "net:canary", "input": base64(&png(9))}));
    let [compared, dropped, failed] = outcomes(&server, 8);
    assert!(compared >= 1.0 && dropped >= 1.0 && failed == 0.0, "{compared} {dropped} {failed}");
}

#[test]
fn a_shadow_that_fails_is_counted_and_nobody_notices() {
    let store = store(&Network::default(), &Network::default());
    broken(&store.path().join("net/2/model.onnx"));
    let server = serve(config(store.path()));
    for seed in 0..3 {
        server.embed(&json!({"input": base64(&png(seed))}));
    }
    let [compared, dropped, failed] = outcomes(&server, 3);
    assert!(compared == 0.0 && failed >= 1.0, "{compared} {dropped} {failed}");
}

#[test]
fn a_shadow_that_cannot_be_compared_is_refused() {
    let cases = [
        (Network { side: 9, ..Network::default() }, "prepares images otherwise than version 1, the live one"),
        (
            Network { widths: vec![5], classes: 2, ..Network::default() },
            "neither the width of embedding nor the classes",
        ),
    ];
    for (shadow, expected) in cases {
        let store = store(&Network::default(), &shadow);
        let message = Server::bind(config(store.path())).err().unwrap().to_string();
        assert!(message.contains(expected) && message.contains("versions.toml"), "{message}");
    }
    // The classes alone can be compared as well.
    let store = store(&Network::default(), &Network { widths: vec![5], ..Network::default() });
    let server = serve(config(store.path()));
    server.embed(&json!({"input": base64(&png(1))}));
    assert_eq!(outcomes(&server, 1)[0], 1.0);
    assert_eq!(agreement(&server)[0], 0.0);
}
