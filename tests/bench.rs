//! `selfie bench serve`, `images` and `search` in their shortest form: every answer is right, whatever the times are.

mod support;

use serde_json::Value;
use std::path::Path;
use support::{fashion, python, succeed};

const STORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/pretrained");

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn every_server_answers_right_and_is_in_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let python = python();
    let mut arguments = vec!["bench", "serve", "--model", STORE, "--seconds", "0.1", "--rounds", "1"];
    arguments.extend(["--image-size", "48x32", "--out", "found"]);
    arguments.extend(python.iter().flat_map(|python| ["--python", python.to_str().unwrap()]));
    let stdout = succeed(folder.path(), &arguments);

    let names: &[&str] = if python.is_some() { &["selfie", "selfie", "FastAPI"] } else { &["selfie", "selfie"] };
    let report = json(&folder.path().join("found/serving.json"));
    let servers = report["servers"].as_array().unwrap();
    let found: Vec<&str> = servers.iter().map(|server| server["name"].as_str().unwrap()).collect();
    assert_eq!(found, names, "{stdout}");
    assert_eq!((&servers[0]["images_per_request"], &servers[1]["images_per_request"]), (&1.into(), &16.into()));
    assert!(report["limit"]["per_second"].as_f64().unwrap() > 0.0, "{report}");
    let hardware = &report["hardware"];
    assert!(!hardware["processor"].as_str().unwrap().is_empty(), "{report}");
    assert!(hardware["system"].as_str().unwrap().starts_with(std::env::consts::OS), "{report}");
    assert!(!cfg!(target_os = "linux") || hardware["memory_bytes"].as_u64().unwrap() > 0, "{report}");
    for server in servers {
        assert_eq!(server["saturation"]["failures"], 0, "{server}");
        assert!(server["saturation"]["latency"]["count"].as_u64().unwrap() > 0, "{server}");
        let steps = server["open"].as_array().unwrap();
        assert_eq!(steps.len(), 7, "{server}");
        assert!(steps.iter().chain([&server["even"]]).all(|step| step["failures"] == 0), "{server}");
        assert!(server["even"]["latency"]["count"].as_u64().unwrap() > 0, "{server}");
    }
    for beginning in [
        &["limit (batches of", "selfie, 16 a request ", "LitServe was not measured: ", "BentoML was not measured: "],
        names,
    ]
    .concat()
    {
        assert!(stdout.lines().any(|line| line.starts_with(beginning)), "no line {beginning:?} in\n{stdout}");
    }
    if python.is_some() {
        assert!(stdout.contains("No module named 'litserve'"), "{stdout}");
    }
    let svg = std::fs::read_to_string(folder.path().join("found/serving.svg")).unwrap();
    for part in ["<svg", "limit of the machine", "images a second", "p50 thin, p99 bold"] {
        assert!(svg.contains(part), "{part}");
    }
    let entries = |name: &str| svg.lines().filter(|line| line.trim() == name).count();
    assert_eq!(["selfie", "selfie, 16 a request"].map(entries), [1, 1], "one entry for both curves of a server");
}

#[test]
fn libraries_find_the_same_colours() {
    let folder = tempfile::tempdir().unwrap();
    let python = python();
    let mut arguments = vec!["bench", "images", "--rounds", "1", "--out", "found"];
    arguments.extend(python.iter().flat_map(|python| ["--python", python.to_str().unwrap()]));
    let stdout = succeed(folder.path(), &arguments);
    let report = json(&folder.path().join("found/images.json"));
    let measured = report["measured"].as_array().unwrap();
    assert_eq!(measured.len(), if python.is_some() { 4 } else { 2 }, "{report}");
    if python.is_some() {
        assert!(stdout.contains("No module named 'cv2'"), "{stdout}");
    }
}

#[test]
fn every_search_finds_what_brute_force_finds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let random = ["bench", "search", "--vectors", "3000", "--width", "40", "--seconds", "0.1", "--out", "found"];
    assert!(succeed(path, &random).contains("every search found the 10 nearest"));
    let report = json(&path.join("found/search.json"));
    assert_eq!((&report["vectors"], &report["width"], &report["failures"]), (&3000.into(), &40.into(), &0.into()));

    std::fs::create_dir(path.join("images")).unwrap();
    for (index, (png, _)) in fashion(40).into_iter().enumerate() {
        std::fs::write(path.join(format!("images/{index}.png")), png).unwrap();
    }
    succeed(path, &["embed", "images", "--model", STORE, "--out", "fashion.npy"]);
    let embedded = ["bench", "search", "--gallery", "fashion.npy", "--model", STORE, "--seconds", "0.1"];
    assert!(succeed(path, &embedded).contains("every search found the 10 nearest"));
}
