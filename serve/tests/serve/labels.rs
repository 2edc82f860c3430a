use super::client::*;
use super::grpc::{caller, grpc_config, images};
use super::network::Network;
use super::pictures::*;
use super::polling::{ready, wait_for};
use super::refusal::liar;
use reqwest::blocking::Response;
use selfie_serve::grpc::proto::inference::{ModelInferRequest, ModelMetadataRequest};
use selfie_serve::{Config, Server};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tonic::Code;

/// A store with the model `net` in these versions, the vectors of each as wide as its number, and with rules.
fn store(versions: &[u64], rules: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for version in versions {
        let network = Network { widths: vec![*version as usize], ..Network::default() };
        network.write("net", &root.path().join(format!("net/{version}/model.onnx")));
    }
    put(root.path(), rules);
    root
}

/// Changes the rules of `net`.
pub fn put(store: &Path, rules: &str) {
    let part = store.join("net/.versions.toml");
    std::fs::write(&part, rules).unwrap();
    std::fs::rename(part, store.join("net/versions.toml")).unwrap();
}

fn ask(server: &Running, model: &str) -> Response {
    server.json("/v1/embeddings", &json!({"model": model, "input": base64(&png(1))}))
}

/// The version that has answered, as the header and the width of the vector say it.
fn version(response: Response) -> u64 {
    let header = response.headers().get("x-model-version").map(|version| version.to_str().unwrap().to_owned());
    let answer: Value = response.json().unwrap();
    let width = answer["data"][0]["embedding"].as_array().map(Vec::len);
    assert_eq!(width.map(|width| width.to_string()), header, "{answer}");
    width.unwrap() as u64
}

fn load(server: &Running) -> u16 {
    server.post("/v2/repository/models/net/load").send().unwrap().status().as_u16()
}

#[test]
fn the_canary_gets_exactly_its_share_of_the_requests_that_name_no_version() {
    let store = store(&[3, 4, 5], "canary_percent = 7\n[labels]\nstable = 3\ncanary = 4\n");
    let server = serve(config(store.path()));
    let mut versions = Vec::new();
    for _ in 0..150 {
        versions.push(version(ask(&server, "net")));
        // None of these takes a turn.
        assert_eq!(version(ask(&server, "net:stable")), 3);
        assert_eq!(server.get("/v2/models/net/ready").send().unwrap().status(), 200);
    }
    for hundred in versions.windows(100) {
        let count = |version| hundred.iter().filter(|found| **found == version).count();
        assert_eq!((count(3), count(4)), (93, 7), "{versions:?}");
    }
    let canary = versions.iter().filter(|version| **version == 4).count() as f64;
    let answered = |version: u64| {
        server.metric(&format!(
            "selfie_requests_total{{api=\"embeddings\",model=\"net\",outcome=\"ok\",version=\"{version}\"}}"
        ))
    };
    assert_eq!([3, 4, 5].map(answered), [300.0 - canary, canary, 0.0]);
}

#[test]
fn a_version_is_reached_by_its_number_and_by_its_labels() {
    let store = store(&[2, 3, 4, 5], "[labels]\nstable = 3\ncanary = 4\nold = 2\n");
    let server = serve(config(store.path()));
    let get = |path: &str| -> Value { server.get(path).send().unwrap().json().unwrap() };
    let input = json!({"name": "pixel_values", "shape": [1], "datatype": "BYTES", "data": [base64(&png(1))]});
    let body = json!({"inputs": [input]});
    for (path, expected) in [("", 3), ("/versions/4", 4), ("/labels/canary", 4), ("/labels/old", 2)] {
        let response = server.json(&format!("/v2/models/net{path}/infer"), &body);
        assert_eq!(response.headers()["x-model-version"], expected.to_string().as_str(), "{path}");
        let answer: Value = response.json().unwrap();
        assert_eq!(answer["model_version"], expected.to_string(), "{path}");
        assert_eq!(answer["outputs"][0]["shape"], json!([1, expected]), "{path}");
        let metadata = get(&format!("/v2/models/net{path}"));
        assert_eq!(metadata["versions"], json!(["2", "3", "4"]), "{path}");
        assert_eq!(metadata["outputs"][0]["shape"], json!([-1, expected]), "{path}");
        assert_eq!(get(&format!("/v2/models/net{path}/ready")), json!({"name": "net", "ready": true}));
        let config = get(&format!("/v2/models/net{path}/config"));
        assert_eq!(config["version_policy"], json!({"specific": {"versions": [2, 3, 4]}}));
        assert_eq!(config["output"][0]["dims"], json!([expected]));
        let stats = get(&format!("/v2/models/net{path}/stats"));
        let version = |stats: &Value| stats["version"].as_str().unwrap().to_owned();
        let versions: Vec<String> = stats["model_stats"].as_array().unwrap().iter().map(version).collect();
        let expected =
            if path.is_empty() { vec!["2".into(), "3".into(), "4".into()] } else { vec![expected.to_string()] };
        assert_eq!(versions, expected, "{path}");
    }
    for (name, expected) in [("net", 3), ("net:stable", 3), ("net:canary", 4), ("net:2", 2)] {
        assert_eq!(version(ask(&server, name)), expected, "{name}");
        let model = get(&format!("/v1/models/{name}"));
        assert_eq!((&model["id"], &model["version"]), (&json!(name), &json!(expected)));
    }
    let models = get("/v1/models");
    let ids: Vec<&Value> = models["data"].as_array().unwrap().iter().map(|model| &model["id"]).collect();
    assert_eq!(ids, ["net", "net:canary", "net:old", "net:stable"]);
    let index = server.post("/v2/repository/index").send().unwrap().text().unwrap();
    assert!([2, 3, 4].iter().all(|version| index.contains(&ready("net", *version))), "{index}");
    assert!(!index.contains("\"5\""), "nobody wants it: {index}");
    let state = |version: u64| {
        server.metric(&format!("selfie_model_state{{model=\"net\",state=\"READY\",version=\"{version}\"}}"))
    };
    assert_eq!([2, 3, 4, 5].map(state), [1.0, 1.0, 1.0, 0.0]);

    for (name, expected) in [
        ("net:5", "versions 2, 3, 4 are served"),
        ("net:new", "net, label new\\\" is not here; its labels are: canary, old, stable"),
        ("net:", "its labels are"),
        ("no:canary", "here are: net"),
    ] {
        let response = ask(&server, name);
        assert_eq!(response.status(), 404, "{name}");
        let text = response.text().unwrap();
        assert!(text.contains(expected) && text.contains("model_not_found"), "{name}: {text}");
    }
    for path in ["/versions/5", "/labels/new", "/labels/3"] {
        for end in ["", "/ready", "/config", "/stats"] {
            assert_eq!(server.get(&format!("/v2/models/net{path}{end}")).send().unwrap().status(), 404, "{path}{end}");
        }
        assert_eq!(server.json(&format!("/v2/models/net{path}/infer"), &body).status(), 404, "{path}");
    }
}

#[test]
fn grpc_reaches_a_version_by_its_number_and_by_its_label() {
    let store = store(&[3, 4], "canary_percent = 50\n[labels]\nstable = 3\ncanary = 4\n");
    let server = serve(grpc_config(store.path()));
    let mut caller = caller(&server);
    let request = |name: &str, version: &str| ModelInferRequest {
        model_name: name.into(),
        model_version: version.into(),
        ..images(&[png(1)])
    };
    for (name, version, expected) in [("net", "3", "3"), ("net", "4", "4"), ("net:canary", "", "4"), ("net:3", "", "3")]
    {
        let answer = caller.infer(request(name, version)).unwrap();
        assert_eq!((answer.model_name.as_str(), answer.model_version.as_str()), ("net", expected), "{name} {version}");
    }
    let versions: Vec<String> = (0..4).map(|_| caller.infer(request("net", "")).unwrap().model_version).collect();
    assert_eq!(versions, ["3", "4", "3", "4"]);
    for (name, version) in [("net", "5"), ("net:new", ""), ("net:canary", "4")] {
        assert_eq!(caller.infer(request(name, version)).unwrap_err().code(), Code::NotFound, "{name} {version}");
    }
    let metadata = ModelMetadataRequest { name: "net:canary".into(), ..Default::default() };
    let metadata = caller.runtime.block_on(caller.client.model_metadata(metadata)).unwrap().into_inner();
    assert_eq!((metadata.versions, metadata.outputs[0].shape[1]), (vec!["3".to_owned(), "4".to_owned()], 4));
}

#[test]
fn rules_that_cannot_be_followed_keep_what_answers_and_the_index_says_why() {
    let store = store(&[3, 4], "[labels]\nstable = 3\ncanary = 4\n");
    liar(&store.path().join("net/5/model.onnx"));
    let server = serve(Config { poll_ms: 20, ..config(store.path()) });
    for (rules, expected) in [
        ("stable = 4\n", "line 1: unknown field `stable`"),
        ("[labels]\nstable = 4\ncanary = 7\n", "label canary is version 7; in the store are 3, 4, 5"),
        ("[labels]\nstable = 4\ncanary = 5\n", "golden sample 0 differs"),
        ("canary_percent = 200\n[labels]\nstable = 4\ncanary = 3\n", "canary_percent is 200"),
        ("shadow = 4\n[labels]\nstable = 4\n", "shadow is version 4, which is live"),
    ] {
        put(store.path(), rules);
        let index = wait_for(&server, expected);
        assert!(index.contains(&ready("net", 3)) && index.contains(&ready("net", 4)), "{index}");
        assert_eq!([version(ask(&server, "net")), version(ask(&server, "net:canary"))], [3, 4], "{rules}");
        assert_eq!(server.get("/v2/health/ready").send().unwrap().status(), 200);
    }
    put(store.path(), "[labels]\nstable = 4\n");
    let start = Instant::now();
    while version(ask(&server, "net")) != 4 {
        assert!(start.elapsed() < Duration::from_secs(30), "the new rules are not followed");
        std::thread::sleep(Duration::from_millis(10));
    }
    let index = server.post("/v2/repository/index").send().unwrap().text().unwrap();
    assert_eq!(index, format!("[{},\"reason\":\"\"}}]", ready("net", 4)), "what nothing names is unloaded");
    assert_eq!(server.get("/v2/models/net/versions/3").send().unwrap().status(), 404);
    assert_eq!(server.metric("selfie_model_state{model=\"net\",state=\"READY\",version=\"3\"}"), 0.0);

    // Without rules the highest version serves, if it can.
    std::fs::remove_file(store.path().join("net/versions.toml")).unwrap();
    let index = wait_for(&server, "golden sample 0 differs");
    assert!(index.contains(&ready("net", 4)), "{index}");
    Network { widths: vec![6], ..Network::default() }.write("net", &store.path().join("net/6/model.onnx"));
    wait_for(&server, &ready("net", 6));
    assert_eq!(version(ask(&server, "net")), 6);
}

#[test]
fn a_canary_that_is_refused_at_the_start_leaves_the_stable_version_serving() {
    let store = store(&[3], "canary_percent = 50\n[labels]\nstable = 3\ncanary = 4\n");
    liar(&store.path().join("net/4/model.onnx"));
    let server = serve(config(store.path()));
    for _ in 0..4 {
        assert_eq!(version(ask(&server, "net")), 3);
    }
    let index = server.post("/v2/repository/index").send().unwrap().text().unwrap();
    assert!(index.contains(&ready("net", 3)) && index.contains("golden sample 0 differs"), "{index}");
    let status = |path: &str| server.get(path).send().unwrap().status().as_u16();
    assert_eq!(status("/v2/models/net/labels/canary/ready"), 404);
    assert_eq!(status("/v2/models/net/versions/4/ready"), 503);

    put(store.path(), "[labels]\nstable = 4\n");
    let message = Server::bind(config(store.path())).err().unwrap().to_string();
    assert!(message.contains("golden sample 0 differs"), "{message}");
    put(store.path(), "[labels]\nstable = 7\n");
    let message = Server::bind(config(store.path())).err().unwrap().to_string();
    assert!(message.contains("versions.toml: label stable is version 7"), "{message}");
}

#[test]
fn no_request_fails_while_labels_move() {
    let store = store(&[3, 4, 5], "");
    let server = serve(Config { admin: true, ..config(store.path()) });
    let over = AtomicBool::new(false);
    let answered: usize = std::thread::scope(|scope| {
        let asking = || {
            let mut answered = 0;
            while !over.load(Ordering::SeqCst) {
                assert!([3, 4, 5].contains(&version(ask(&server, "net"))));
                answered += 1;
            }
            answered
        };
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(asking)).collect();
        for round in 0..15 {
            let (stable, canary) = (3 + round % 3, 3 + (round + 1) % 3);
            put(store.path(), &format!("canary_percent = 40\n[labels]\nstable = {stable}\ncanary = {canary}\n"));
            assert_eq!(load(&server), 200);
        }
        over.store(true, Ordering::SeqCst);
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(answered > 0);
}

#[test]
fn a_load_keeps_the_versions_that_have_not_changed_when_something_else_has() {
    let store = store(&[3, 4, 5], "[labels]\nstable = 3\ncanary = 4\n");
    let server = serve(Config { admin: true, ..config(store.path()) });
    let requests = || {
        let stats: Value = server.get("/v2/models/net/versions/3/stats").send().unwrap().json().unwrap();
        stats["model_stats"][0]["inference_count"].as_u64().unwrap()
    };
    assert_eq!(version(ask(&server, "net")), 3);
    put(store.path(), "[labels]\nstable = 3\ncanary = 5\n");
    assert_eq!((load(&server), requests()), (200, 1));
    assert_eq!(version(ask(&server, "net:canary")), 5);
    assert_eq!(ask(&server, "net:4").status(), 404);
    assert_eq!((load(&server), requests()), (200, 0), "nothing has changed, so all is loaded again");

    assert_eq!(server.post("/v2/repository/models/net/unload").send().unwrap().status(), 200);
    assert_eq!(["net", "net:3", "net:5"].map(|name| ask(&server, name).status().as_u16()), [503; 3]);
    let index: Value = server.post("/v2/repository/index").send().unwrap().json().unwrap();
    assert_eq!(index.as_array().unwrap().iter().filter(|version| version["reason"] == "unloaded").count(), 2);
    assert_eq!(load(&server), 200);
    assert_eq!(version(ask(&server, "net:canary")), 5);
}
