//! Models that no runtime can bear: one that asks for 4 TiB, and one that never comes to an end. They are refused, and the server answers on.

mod support;

use reqwest::blocking::{Client, Response};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use support::{Serving, client, jpeg, script, selfie};
use tempfile::TempDir;

const GOOD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/pretrained/fashion-mnist/1/model.onnx");
const PATIENCE: Duration = Duration::from_secs(120);

/// The two files, out of the model that comes with the project; none without the Python of the tests.
fn hostile() -> Option<(TempDir, [PathBuf; 2])> {
    let folder = tempfile::tempdir().unwrap();
    let files = ["greedy.onnx", "endless.onnx"].map(|name| folder.path().join(name));
    script("make_hostile.py", [Path::new(GOOD), &files[0], &files[1]])?;
    Some((folder, files))
}

/// Puts a file into a store as a version, whole at once.
fn place(file: &Path, store: &Path, model: &str, version: &str) {
    let incoming = store.join(".incoming").join(version);
    std::fs::create_dir_all(&incoming).unwrap();
    std::fs::copy(file, incoming.join("model.onnx")).unwrap();
    std::fs::create_dir_all(store.join(model)).unwrap();
    std::fs::rename(incoming, store.join(model).join(version)).unwrap();
}

fn embed(client: &Client, address: &str, model: &str) -> Response {
    let url = format!("{address}/v1/embeddings?model={model}");
    client.post(url).header("content-type", "image/jpeg").body(jpeg()).send().unwrap()
}

/// State and reason of each version of a model.
fn versions(client: &Client, address: &str, model: &str) -> Vec<(String, String, String)> {
    let index: Value =
        client.post(format!("{address}/v2/repository/index")).json(&json!({})).send().unwrap().json().unwrap();
    let of_model = |entry: &&Value| entry["name"] == model;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let version = |entry: &Value| (text(&entry["version"]), text(&entry["state"]), text(&entry["reason"]));
    index.as_array().unwrap().iter().filter(of_model).map(version).collect()
}

#[test]
fn a_version_that_no_runtime_can_bear_is_refused_and_the_old_one_answers_on() {
    let Some((_folder, [greedy, endless])) = hostile() else { return };
    let store = tempfile::tempdir().unwrap();
    place(Path::new(GOOD), store.path(), "m", "1");
    let models = store.path().to_str().unwrap();
    let limits = ["--poll-ms", "50", "--load-timeout-ms", "5000"];
    let mut command = selfie();
    command.args(["serve", "--port", "0", "--models", models, "--runtime", "rten", "--device", "cpu"]).args(limits);
    // As in a container whose files are only to be read.
    command.env("TMPDIR", "/does/not/exist");
    let mut serving = Serving::spawn(command);
    let client = client();
    let files = [
        (
            greedy.as_path(),
            "2",
            "UNAVAILABLE",
            "it ends the process that loads it, signal: 6 (SIGABRT): memory allocation of",
        ),
        (&endless, "3", "UNAVAILABLE", "it is not loaded after 5000 ms, --load-timeout-ms"),
        (Path::new(GOOD), "4", "READY", ""),
    ];
    for (file, version, state, reason) in files {
        place(file, store.path(), "m", version);
        let placed = Instant::now();
        let found = loop {
            assert_eq!(embed(&client, &serving.address, "m").status(), 200, "while version {version} is loaded");
            let found = versions(&client, &serving.address, "m");
            let is_done =
                |found: &(String, String, String)| found.0 == version && ["UNAVAILABLE", "READY"].contains(&&*found.1);
            if let Some(found) = found.into_iter().find(is_done) {
                break found;
            }
            assert!(placed.elapsed() < PATIENCE, "version {version} never comes");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(found.1 == state && found.2.contains(reason), "{found:?}");
    }
    serving.terminate();
    assert_eq!(serving.wait().0, 0);
}

#[test]
fn a_server_that_loads_its_models_says_that_it_is_alive_and_not_ready() {
    let Some((_folder, [_, endless])) = hostile() else { return };
    let store = tempfile::tempdir().unwrap();
    place(Path::new(GOOD), store.path(), "good", "1");
    place(&endless, store.path(), "endless", "1");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = selfie();
    command.args(["serve", "--runtime", "rten", "--device", "cpu", "--load-timeout-ms", "5000"]);
    command.args(["--port", &port.to_string(), "--models"]).arg(store.path());
    let (address, client) = (format!("http://127.0.0.1:{port}"), client());
    let starting = std::thread::spawn(|| Serving::spawn(command));
    let start = Instant::now();
    let live = loop {
        if let Ok(response) = client.get(format!("{address}/v2/health/live")).send() {
            break response;
        }
        assert!(start.elapsed() < PATIENCE, "nothing listens");
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(!starting.is_finished(), "it loads for five seconds");
    assert_eq!(live.status(), 200);
    let ready = client.get(format!("{address}/v2/health/ready")).send().unwrap();
    assert_eq!((ready.status().as_u16(), &ready.headers()["retry-after"]), (503, &"1".parse().unwrap()));
    let refused = embed(&client, &address, "good");
    assert_eq!(refused.status(), 503);
    assert_eq!(refused.json::<Value>().unwrap()["error"]["code"], "model_loading");
    let mut serving = starting.join().unwrap();
    assert_eq!(embed(&client, &serving.address, "good").status(), 200);
    assert!(versions(&client, &serving.address, "endless")[0].2.contains("--load-timeout-ms"));
    serving.terminate();
    assert_eq!(serving.wait().0, 0);
}
