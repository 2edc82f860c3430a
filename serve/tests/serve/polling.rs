use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use super::refusal::liar;
use selfie_serve::Config;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

fn wide(width: usize) -> Network {
    Network { widths: vec![width], ..Network::default() }
}

fn polling(store: &Path) -> Running {
    serve(Config { poll_ms: 20, ..config(store) })
}

/// The repository index as text, as soon as it contains `expected`.
pub fn wait_for(server: &Running, expected: &str) -> String {
    let start = Instant::now();
    loop {
        let text = server.post("/v2/repository/index").send().unwrap().text().unwrap();
        if text.contains(expected) {
            return text;
        }
        assert!(start.elapsed() < PATIENCE, "{expected} does not come: {text}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub fn ready(name: &str, version: u64) -> String {
    format!("{{\"name\":\"{name}\",\"version\":\"{version}\",\"state\":\"READY\"")
}

#[test]
fn what_is_new_is_served_and_what_is_gone_is_not() {
    let store = store(&[("net", wide(4))]);
    let server = polling(store.path());
    let width = |model: &str| server.embed(&json!({"model": model, "input": base64(&png(1))}))[0].len();
    wide(5).write("net", &store.path().join("net/2/model.onnx"));
    wait_for(&server, &ready("net", 2));
    assert_eq!(width("net"), 5);
    wide(6).write("other", &store.path().join("other/1/model.onnx"));
    wait_for(&server, &ready("other", 1));
    assert_eq!(width("other"), 6);

    std::fs::remove_dir_all(store.path().join("net/2")).unwrap();
    wait_for(&server, &ready("net", 1));
    assert_eq!(width("net"), 4);
    std::fs::remove_dir_all(store.path().join("net")).unwrap();
    let body = json!({"model": "net", "input": base64(&png(1))});
    wait_until("it is still there", || server.json("/v1/embeddings", &body).status() == 404);
    assert_eq!(server.get("/v2/health/ready").send().unwrap().status(), 200);

    // A store that is empty is one that is not mounted.
    std::fs::rename(store.path().join("other"), store.path().join(".other")).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(width("other"), 6);
}

#[test]
fn a_bad_version_is_never_served_and_is_tried_again_when_it_changes() {
    let store = store(&[("net", wide(4))]);
    let server = polling(store.path());
    // Made where the server does not look.
    let aside = tempfile::tempdir().unwrap();
    wide(5).write("net", &aside.path().join("model.onnx"));
    let whole = std::fs::read(aside.path().join("model.onnx")).unwrap();
    // A copy that stands still halfway.
    let file = store.path().join("net/2/model.onnx");
    std::fs::create_dir(store.path().join("net/2")).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let text = wait_for(&server, "complete ONNX");
    assert!(text.contains(&ready("net", 1)) && text.contains("\"version\":\"2\",\"state\":\"UNAVAILABLE\""), "{text}");
    let width = || server.embed(&json!({"input": base64(&png(1))}))[0].len();
    assert_eq!(width(), 4);
    assert_eq!(server.get("/v2/health/ready").send().unwrap().status(), 200);

    std::fs::write(&file, &whole).unwrap();
    wait_for(&server, &ready("net", 2));
    assert_eq!(width(), 5);

    liar(&store.path().join("net/3/model.onnx"));
    wait_for(&server, "golden sample 0 differs");
    assert_eq!(width(), 5);

    // The file of the version that answers is damaged: it answers on, and is not told to be unavailable.
    std::fs::remove_dir_all(store.path().join("net/3")).unwrap();
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    wait_for(&server, "complete ONNX");
    assert_eq!(width(), 5);
    let state =
        |state: &str| server.metric(&format!("selfie_model_state{{model=\"net\",state=\"{state}\",version=\"2\"}}"));
    assert_eq!((state("READY"), state("UNAVAILABLE")), (1.0, 0.0));
}

#[test]
fn a_new_model_does_not_take_the_server_out_of_rotation_unless_it_is_asked_to() {
    for strict_readiness in [false, true] {
        let store = store(&[("net", wide(4))]);
        let server = serve(Config { poll_ms: 20, strict_readiness, ..config(store.path()) });
        let is_over = AtomicBool::new(false);
        let ready = || server.get("/v2/health/ready").send().unwrap().status() == 200;
        std::thread::scope(|scope| {
            let looking = scope.spawn(|| {
                let mut not_ready = 0;
                while !is_over.load(Ordering::SeqCst) {
                    not_ready += usize::from(!ready());
                }
                not_ready
            });
            wide(6).write("good", &store.path().join("good/1/model.onnx"));
            wait_for(&server, &self::ready("good", 1));
            liar(&store.path().join("bad/1/model.onnx"));
            wait_for(&server, "golden sample 0 differs");
            assert_eq!(ready(), !strict_readiness);
            is_over.store(true, Ordering::SeqCst);
            assert_eq!(looking.join().unwrap() > 0, strict_readiness);
        });
        std::fs::remove_dir_all(store.path().join("bad")).unwrap();
        wait_until("it stays red", ready);
    }
}

#[test]
fn a_model_that_was_unloaded_stays_so_until_it_changes() {
    let store = store(&[("net", wide(4)), ("other", wide(4))]);
    let server = serve(Config { admin: true, poll_ms: 20, ..config(store.path()) });
    assert_eq!(server.post("/v2/repository/models/net/unload").send().unwrap().status(), 200);
    std::thread::sleep(Duration::from_millis(200));
    let metadata = server.get("/v2/models/net").send().unwrap();
    assert_eq!(metadata.status(), 503);
    assert!(metadata.json::<Value>().unwrap()["error"].as_str().unwrap().contains("unloaded"));
    wide(5).write("net", &store.path().join("net/7/model.onnx"));
    wait_for(&server, &ready("net", 7));
}
