//! The server under pressure: versions that come while clients ask, and a model that is loaded and unloaded again and again.
//!
//! The long forms take minutes: `cargo test --release --workspace --test pressure -- --ignored`.

mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::blocking::Client;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use support::{PATIENCE, Serving, client, jpeg};

/// The model that comes with the project.
const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/pretrained/fashion-mnist/1/model.onnx");
const CLIENTS: usize = 3;
const POLL_MS: u64 = 20;
/// What the memory of the process may grow by. One copy of the model's weights in each of 20 loads would be 40 MB.
const NOISE_KB: u64 = 16 << 10;

/// Times that the memory is looked at until it has not grown.
const TURNS: usize = 3;

/// What comes into the store as a version.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Good,
    /// Its golden samples are other numbers than it gives.
    Lying,
    Truncated,
    /// Good in the end, after many pieces with pauses.
    Slow,
}

#[test]
fn no_request_fails_while_good_and_bad_versions_come() {
    swap(12);
}

#[test]
#[ignore = "minutes; the gate sends 12 versions"]
fn no_request_fails_while_50_good_and_bad_versions_come() {
    swap(50);
}

#[test]
fn memory_comes_back_after_20_loads() {
    load_and_unload(20);
}

#[test]
#[ignore = "minutes; the gate loads 20 times"]
fn memory_comes_back_after_200_loads() {
    load_and_unload(200);
}

/// Puts versions into a store that is watched, while clients ask all along.
fn swap(count: u64) {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store/net");
    put(Kind::Good, &store.join("1"), &Value::Null);
    let poll = POLL_MS.to_string();
    let serving = Serving::start(folder.path(), &["--models", "store", "--runtime", "tract", "--poll-ms", &poll]);
    let model: Value = get(&serving, "/v1/models/net");
    let good = Mutex::new(BTreeSet::from([1]));
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let ask = || {
            let client = client();
            loop {
                let version = infer(&client, &serving);
                let good = good.lock().unwrap();
                assert!(good.contains(&version), "version {version} answered, good are {good:?}");
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
            }
        };
        for _ in 0..CLIENTS {
            scope.spawn(ask);
        }
        let kinds = [Kind::Good, Kind::Lying, Kind::Slow, Kind::Truncated];
        for (version, kind) in (2..count + 2).zip(kinds.into_iter().cycle()) {
            let version_folder = store.join(version.to_string());
            let expected = match kind {
                Kind::Good | Kind::Slow => "READY",
                Kind::Lying => "golden sample 0 differs",
                Kind::Truncated => "not a complete ONNX model",
            };
            if matches!(kind, Kind::Good | Kind::Slow) {
                good.lock().unwrap().insert(version);
            }
            put(kind, &version_folder, &model["card"]);
            wait_for(&serving, version, expected);
        }
        is_over.store(true, Ordering::SeqCst);
    });
    let newest = *good.lock().unwrap().last().unwrap();
    assert_eq!(infer(&client(), &serving), newest);
}

/// Loads, asks and unloads, in every runtime that is here.
fn load_and_unload(count: usize) {
    let folder = tempfile::tempdir().unwrap();
    put(Kind::Good, &folder.path().join("store/net/1"), &Value::Null);
    let has_onnxruntime = std::env::var_os("ORT_DYLIB_PATH").is_some();
    for runtime in ["tract", "rten", "onnxruntime"].into_iter().take(2 + usize::from(has_onnxruntime)) {
        let serving = Serving::start(folder.path(), &["--models", "store", "--admin", "--runtime", runtime]);
        let client = client();
        let change = |action: &str| {
            let url = format!("{}/v2/repository/models/net/{action}", serving.address);
            assert_eq!(client.post(url).send().unwrap().status(), 200, "{action}");
        };
        let turn = || {
            change("unload");
            change("load");
            assert_eq!(infer(&client, &serving), 1);
        };
        // Until allocator and thread pools have what they keep.
        (0..10).for_each(|_| turn());
        // A leak grows every time; what an allocator keeps for a thread that was never busy before does not.
        let grows = || {
            let before = serving.resident_kb();
            (0..count).for_each(|_| turn());
            let after = serving.resident_kb();
            eprintln!("{runtime}: {before} kB before {count} loads, {after} kB after them");
            after > before + NOISE_KB
        };
        assert!(!(0..TURNS).all(|_| grows()), "{runtime}: the memory does not come back");
    }
}

/// Puts a version into its folder.
fn put(kind: Kind, folder: &Path, card: &Value) {
    let bytes = std::fs::read(MODEL).unwrap();
    std::fs::create_dir_all(folder).unwrap();
    let mut file = std::fs::File::create(folder.join("model.onnx.part")).unwrap();
    match kind {
        Kind::Good => file.write_all(&bytes).unwrap(),
        Kind::Lying => {
            let mut card = card.clone();
            card["golden"][0]["input"]["seed"] = json!(12_345);
            std::fs::write(folder.join("card.json"), card.to_string()).unwrap();
            file.write_all(&bytes).unwrap();
        }
        Kind::Truncated => file.write_all(&bytes[..bytes.len() / 2]).unwrap(),
        Kind::Slow => {
            // In its place from the start, as a copy over a network is.
            std::fs::rename(folder.join("model.onnx.part"), folder.join("model.onnx")).unwrap();
            for piece in bytes.chunks(bytes.len() / 12 + 1) {
                file.write_all(piece).unwrap();
                std::thread::sleep(Duration::from_millis(POLL_MS * 2));
            }
            return;
        }
    }
    std::fs::rename(folder.join("model.onnx.part"), folder.join("model.onnx")).unwrap();
}

/// The version that answers a picture.
fn infer(client: &Client, serving: &Serving) -> u64 {
    let picture = json!({"name": "pixel_values", "shape": [1], "datatype": "BYTES", "data": [STANDARD.encode(jpeg())]});
    let url = format!("{}/v2/models/net/infer", serving.address);
    let response = client.post(url).json(&json!({"inputs": [picture]})).send().unwrap();
    let status = response.status();
    let answer: Value = response.json().unwrap();
    assert_eq!(status, 200, "{answer}");
    answer["model_version"].as_str().unwrap().parse().unwrap()
}

fn get(serving: &Serving, path: &str) -> Value {
    client().get(format!("{}{path}", serving.address)).send().unwrap().json().unwrap()
}

/// Waits until state or reason of the version contain `expected`.
fn wait_for(serving: &Serving, version: u64, expected: &str) {
    let (start, version) = (Instant::now(), version.to_string());
    loop {
        let index = client().post(format!("{}/v2/repository/index", serving.address)).send().unwrap();
        let index: Value = index.json().unwrap();
        let mut entries = index.as_array().unwrap().iter();
        let entry = entries.find(|entry| entry["version"] == version).cloned().unwrap_or_default();
        if [&entry["state"], &entry["reason"]].iter().any(|text| text.as_str().unwrap_or_default().contains(expected)) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "version {version}: no {expected:?} in {index}");
        std::thread::sleep(Duration::from_millis(POLL_MS / 2));
    }
}
