//! The log of the binary, changed while it serves.

mod support;

use serde_json::{Value, json};
use std::fs::{File, read_to_string};
use std::path::Path;
use std::process::Stdio;
use support::{Serving, client, jpeg};

#[test]
fn what_the_log_shows_changes_while_it_serves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = Stdio::from(File::create(&path).unwrap());
    let arguments = ["--admin", "--log-requests", "--runtime", "tract"];
    let mut serving = Serving::start_logging(Path::new(env!("CARGO_MANIFEST_DIR")), &arguments, log);
    let (client, url) = (client(), format!("{}/v2/logging", serving.address));
    let ask = |id: &str| {
        let request = client.get(format!("{}/v2", serving.address)).header("x-request-id", id);
        assert_eq!(request.send().unwrap().status(), 200);
    };
    let set = |changes: Value| client.post(&url).json(&changes).send().unwrap().json::<Value>().unwrap();

    let start: Value = client.get(&url).send().unwrap().json().unwrap();
    assert_eq!((&start["log_info"], &start["log_verbose_level"]), (&json!(true), &json!(0)), "{start}");
    ask("shown-at-first");
    assert_eq!(set(json!({"log_info": false}))["log_info"], false);
    ask("hidden");
    assert_eq!(set(json!({"log_info": true})), start);
    ask("shown-again");
    serving.terminate();
    assert_eq!(serving.wait().0, 0);
    let text = read_to_string(&path).unwrap();
    assert!(text.contains("shown-at-first") && text.contains("shown-again"), "{text}");
    assert!(!text.contains("hidden"), "{text}");
    assert!(!text.contains('\u{1b}'), "colours in a file: {text}");
}

#[test]
fn a_slow_request_is_told_with_its_model_and_its_stages() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = Stdio::from(File::create(&path).unwrap());
    let arguments = ["--slow-request-ms", "1", "--runtime", "tract"];
    let mut serving = Serving::start_logging(Path::new(env!("CARGO_MANIFEST_DIR")), &arguments, log);
    let request = client().post(format!("{}/v1/embeddings", serving.address)).header("x-request-id", "shop-7");
    assert_eq!(request.header("content-type", "image/jpeg").body(jpeg()).send().unwrap().status(), 200);
    serving.terminate();
    assert_eq!(serving.wait().0, 0);
    let text = read_to_string(&path).unwrap();
    let line = text.lines().find(|line| line.contains("shop-7")).unwrap_or_default();
    for part in ["WARN", "model=\"fashion-mnist\"", "version=1", "status=200", "took_ms=", "infer;dur="] {
        assert!(line.contains(part), "no {part} in {line:?} of {text}");
    }
}
