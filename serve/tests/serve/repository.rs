use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use super::refusal::liar;
use super::waiting::{DONE, crowd};
use selfie_serve::Config;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn index(server: &Running) -> Vec<(String, String, String, String)> {
    let answer: Value = server.post("/v2/repository/index").send().unwrap().json().unwrap();
    let text = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
    let entry = |item: &Value| (text(item, "name"), text(item, "version"), text(item, "state"), text(item, "reason"));
    answer.as_array().unwrap().iter().map(entry).collect()
}

fn load(server: &Running, model: &str) -> (u16, String) {
    let response = server.post(&format!("/v2/repository/models/{model}/load")).send().unwrap();
    (response.status().as_u16(), response.text().unwrap())
}

fn entry(version: &str, state: &str, reason: &str) -> (String, String, String, String) {
    ("net".into(), version.into(), state.into(), reason.into())
}

#[test]
fn without_administration_models_are_listed_and_not_touched() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    assert_eq!(index(&server), [entry("1", "READY", "")]);
    for action in ["load", "unload"] {
        let response = server.post(&format!("/v2/repository/models/net/{action}")).send().unwrap();
        assert_eq!(response.status(), 403);
        assert!(response.text().unwrap().contains("--admin"));
    }
    assert_eq!(server.embed(&json!({"input": base64(&png(1))})).len(), 1);
}

#[test]
fn a_model_is_unloaded_and_the_newest_version_is_loaded() {
    let store = store(&[("net", Network::default()), ("other", Network::default())]);
    let server = serve(Config { admin: true, ..config(store.path()) });
    let body = json!({"model": "net", "input": base64(&png(1))});
    let before = server.embed(&body);
    let response =
        server.json("/v2/repository/models/net/unload", &json!({"parameters": {"unload_dependents": false}}));
    assert_eq!(response.status(), 200);
    assert_eq!(index(&server)[0], entry("1", "UNAVAILABLE", "unloaded"));
    let ready: Value = server.json("/v2/repository/index", &json!({"ready": true})).json().unwrap();
    assert_eq!(ready.as_array().unwrap().len(), 1, "{ready}");
    assert_eq!(server.json("/v1/embeddings", &body).status(), 503);
    assert_eq!(server.get("/v2/models/net/ready").send().unwrap().status(), 503);
    assert_eq!(server.get("/v2/health/ready").send().unwrap().status(), 200, "it was unloaded on purpose");
    assert_eq!(server.metric("selfie_model_state{model=\"net\",state=\"READY\",version=\"1\"}"), 0.0);

    Network { widths: vec![5], ..Network::default() }.write("net", &store.path().join("net/4/model.onnx"));
    assert_eq!(load(&server, "net"), (200, String::new()));
    assert_eq!(index(&server)[0], entry("4", "READY", ""));
    let metadata: Value = server.get("/v2/models/net").send().unwrap().json().unwrap();
    assert_eq!((&metadata["versions"], &metadata["outputs"][0]["shape"]), (&json!(["4"]), &json!([-1, 5])));
    assert_eq!(server.embed(&body)[0].len(), 5);

    std::fs::remove_dir_all(store.path().join("net/4")).unwrap();
    assert_eq!(load(&server, "net").0, 200);
    assert_eq!(server.embed(&body), before, "the old version is back");
}

#[test]
fn models_that_are_not_asked_for_wait_for_an_administrator() {
    let store = store(&[("net", Network::default()), ("other", Network::default())]);
    let body = |model: &str| json!({"model": model, "input": base64(&png(1))});
    for (asked, expected) in [("other", [503, 200]), ("none", [503, 503])] {
        let load_models = vec![asked.to_owned()];
        let server = serve(Config { admin: true, poll_ms: 20, load_models, ..config(store.path()) });
        let statuses = || ["net", "other"].map(|model| server.json("/v1/embeddings", &body(model)).status().as_u16());
        assert_eq!(statuses(), expected, "{asked}");
        assert_eq!(index(&server)[0], entry("1", "UNAVAILABLE", "unloaded"));
        assert_eq!(server.get("/v2/health/ready").send().unwrap().status(), 200);
        // A new version is no reason either; a model that was loaded is followed.
        Network::default().write("net", &store.path().join("net/2/model.onnx"));
        assert_eq!(load(&server, "net"), (200, String::new()));
        assert_eq!(statuses()[0], 200);
        Network::default().write("net", &store.path().join("net/3/model.onnx"));
        wait_until("the new version comes", || index(&server)[0] == entry("3", "READY", ""));
        for version in ["2", "3"] {
            std::fs::remove_dir_all(store.path().join("net").join(version)).unwrap();
        }
    }
    let config = Config { load_models: vec!["nobody".into()], ..config(store.path()) };
    let message = selfie_serve::Server::bind(config).err().unwrap().to_string();
    assert!(message.contains("load_models: \"nobody\" is no model of the store, which holds net, other"), "{message}");
}

#[test]
fn a_model_that_was_unloaded_is_unloading_while_it_still_answers() {
    let store = store(&[("net", Network::slow())]);
    let server = serve(Config { admin: true, max_batch_size: 1, ..config(store.path()) });
    let crowd = crowd(&server);
    wait_until("nothing of the crowd runs", || server.metric(DONE) > 0.0);
    assert_eq!(server.post("/v2/repository/models/net/unload").send().unwrap().status(), 200);
    assert_eq!(index(&server), [entry("1", "UNLOADING", "it still answers requests")]);
    drop(crowd);
    wait_until("it does not end", || index(&server) == [entry("1", "UNAVAILABLE", "unloaded")]);
}

#[test]
fn a_version_that_fails_is_never_served_and_the_old_one_answers() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { admin: true, ..config(store.path()) });
    let body = json!({"input": base64(&png(1))});
    let before = server.embed(&body);
    liar(&store.path().join("net/2/model.onnx"));
    let (status, text) = load(&server, "net");
    assert!(status == 500 && text.contains("golden sample 0 differs"), "{status} {text}");
    assert_eq!(server.embed(&body), before);
    let listed = index(&server);
    assert_eq!(listed[0], entry("1", "READY", ""));
    assert!(listed[1].2 == "UNAVAILABLE" && listed[1].3.contains("golden sample 0 differs"), "{listed:?}");
    assert_eq!(server.get("/v2/health/ready").send().unwrap().status(), 200);
    assert_eq!(server.get("/v2/models/net/versions/2/ready").send().unwrap().status(), 503);

    // The same version, damaged in its place.
    std::fs::remove_dir_all(store.path().join("net/2")).unwrap();
    let file = store.path().join("net/1/model.onnx");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(load(&server, "net").0, 500);
    assert_eq!(server.embed(&body), before);
    let listed = index(&server);
    assert!(listed.len() == 1 && listed[0].2 == "READY" && listed[0].3.contains("complete ONNX"), "{listed:?}");
}

#[test]
fn no_request_fails_while_versions_are_swapped() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { admin: true, ..config(store.path()) });
    let body = json!({"input": [base64(&png(1)), base64(&jpeg(2))]});
    let over = AtomicBool::new(false);
    let answered = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let ask = || {
            while !over.load(Ordering::SeqCst) {
                let response = server.json("/v1/embeddings", &body);
                assert_eq!(response.status(), 200, "{}", response.text().unwrap());
                answered.fetch_add(1, Ordering::SeqCst);
            }
        };
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(ask)).collect();
        for version in 2..22 {
            Network::default().write("net", &store.path().join(format!("net/{version}/model.onnx")));
            if version % 3 == 0 {
                liar(&store.path().join(format!("net/{version}/model.onnx")));
            }
            assert_eq!(load(&server, "net").0, if version % 3 == 0 { 500 } else { 200 });
            wait_until("nobody asks", || {
                answered.load(Ordering::SeqCst) >= version || threads.iter().any(|thread| thread.is_finished())
            });
        }
        over.store(true, Ordering::SeqCst);
    });
    assert_eq!(index(&server)[0], entry("20", "READY", ""));
}

#[test]
fn what_cannot_be_loaded_is_refused_with_the_reason() {
    let store = store(&[("net", Network::default())]);
    let server = serve(Config { admin: true, ..config(store.path()) });
    for model in ["nobody", "..", "..%2F..%2Fetc", ".hidden", "net%2F1"] {
        let response = server.post(&format!("/v2/repository/models/{model}/load")).send().unwrap();
        assert_eq!(response.status(), 404, "{model}");
    }
    assert_eq!(server.post("/v2/repository/models/nobody/unload").send().unwrap().status(), 404);
    let request = json!({"parameters": {"config": "{}", "file:1/model.onnx": "aGk="}});
    let response = server.json("/v2/repository/models/net/load", &request);
    assert_eq!(response.status(), 400);
    assert!(response.text().unwrap().contains("put the model into the store"));
    assert_eq!(server.json("/v2/repository/index", &json!([1])).status(), 400);
    assert_eq!(server.get("/v2/repository/index").send().unwrap().status(), 405);
}
