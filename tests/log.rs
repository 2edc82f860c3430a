//! The log of the binary, changed while it serves.

mod support;

use serde_json::{Value, json};
use std::fs::{File, read_to_string};
use std::path::Path;
use std::process::Stdio;
use support::{Serving, client, jpeg};

/// What a server that answers once and is stopped logs into a file.
fn logged(path: &Path, arguments: &[&str]) -> String {
    let log = Stdio::from(File::create(path).unwrap());
    let mut serving = Serving::start_logging(Path::new(env!("CARGO_MANIFEST_DIR")), arguments, log);
    assert_eq!(client().get(format!("{}/v2/health/live", serving.address)).send().unwrap().status(), 200);
    serving.terminate();
    assert_eq!(serving.wait().0, 0);
    read_to_string(path).unwrap()
}

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

#[test]
fn the_file_says_what_is_logged_and_how_and_flags_win_over_it() {
    let folder = tempfile::tempdir().unwrap();
    let (file, path) = (folder.path().join("serve.toml"), folder.path().join("log"));
    std::fs::write(&file, "log = \"debug\"\nlog_format = \"json\"\nruntime = \"tract\"\n").unwrap();
    let log = |arguments: &[&str]| logged(&path, &[&["--config", file.to_str().unwrap()][..], arguments].concat());
    let text = log(&[]);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(lines.iter().any(|line| line["level"] == "INFO"), "{text}");
    let text = log(&["--log", "error", "--log-format", "text"]);
    assert!(text.is_empty(), "{text}");
}

#[test]
fn each_model_that_is_loaded_is_told_once_with_its_runtime_and_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let text = logged(&folder.path().join("log"), &["--runtime", "tract"]);
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("model.onnx: tract on cpu runs it: ")).collect();
    assert!(lines.len() == 1 && lines[0].contains("it was asked for"), "{lines:?} of {text}");
}
