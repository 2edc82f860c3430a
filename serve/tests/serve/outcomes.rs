//! What `selfie_requests_total` counts of requests that no model answers.

use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use super::refusal::liar;
use selfie_serve::Config;
use serde_json::{Value, json};

fn counted(server: &Running, api: &str, model: &str, outcome: &str) -> f64 {
    let labels = format!("{{api=\"{api}\",model=\"{model}\",outcome=\"{outcome}\",version=\"_unknown\"}}");
    server.metric(&format!("selfie_requests_total{labels}"))
}

#[test]
fn what_cannot_be_read_counts_on_every_path() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { max_body_bytes: 10_000, ..config(store.path()) });
    for (path, api) in [
        ("/v1/embeddings", "embeddings"),
        ("/embeddings", "embeddings"),
        ("/v1/classify", "classify"),
        ("/classify", "classify"),
        ("/predict", "predict"),
        ("/v1/similarity", "similarity"),
        ("/v1/search", "search"),
    ] {
        let post = |kind: &str, body: Vec<u8>| {
            let before = counted(&server, api, "_unknown", "invalid");
            let status = server.post(path).header("content-type", kind).body(body).send().unwrap().status();
            let counts = counted(&server, api, "_unknown", "invalid") - before;
            assert_eq!(counts, 1.0, "{path}: {status}");
            status.as_u16()
        };
        assert_eq!(post("application/json", b"{\"input\"".to_vec()), 400, "{path}");
        assert_eq!(post("application/json", b"{}".to_vec()), if api == "search" { 404 } else { 400 }, "{path}");
        assert_eq!(post("text/plain", b"1".to_vec()), 415, "{path}");
        assert_eq!(post("image/png", vec![0; 10_001]), 413, "{path}");
    }
    let body = json!({"input": base64(&png(1))});
    let before = counted(&server, "embeddings", "_unknown", "invalid");
    for (header, value, status) in [("accept", "text/html", 406), ("x-max-wait-ms", "soon", 400)] {
        let response = server.post("/v1/embeddings").header(header, value).json(&body).send().unwrap();
        assert_eq!(response.status(), status, "{header}");
    }
    assert_eq!(counted(&server, "embeddings", "_unknown", "invalid") - before, 2.0);
}

#[test]
fn a_model_that_is_not_served_rejects_what_comes_for_it() {
    let store = store(&[("net", Network::default())]);
    liar(&store.path().join("liar/1/model.onnx"));
    let server = serve(Config { admin: true, ..config(store.path()) });
    assert_eq!(server.post("/v2/repository/models/net/unload").send().unwrap().status(), 200);
    for model in ["net", "liar"] {
        let answer = server.json("/v1/embeddings", &json!({"model": model, "input": base64(&png(1))}));
        assert_eq!(answer.status(), 503, "{}", answer.json::<Value>().unwrap());
        assert_eq!(server.json(&format!("/v2/models/{model}/infer"), &json!({})).status(), 503);
        for api in ["embeddings", "infer"] {
            assert_eq!(counted(&server, api, model, "rejected"), 1.0, "{api} {model}");
            assert_eq!(counted(&server, api, model, "backend"), 0.0, "{api} {model}");
        }
    }
}
