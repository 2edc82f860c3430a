//! Weights in a second file: exported, verified, served, and refused when they are others.

mod support;

use std::path::Path;
use support::{Serving, client, jpeg, run, succeed};

const FAILED: i32 = 1;
const PRETRAINED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/pretrained/fashion-mnist/1/model.onnx");
const MODEL: &str = "store/apart/1/model.onnx";

fn classes(serving: &Serving) -> serde_json::Value {
    let address = format!("{}/v1/classify?model=apart&top_k=3", serving.address);
    let answer = client().post(address).header("content-type", "image/jpeg").body(jpeg()).send().unwrap();
    let answer: serde_json::Value = answer.error_for_status().unwrap().json().unwrap();
    answer["data"][0]["predictions"].clone()
}

#[test]
fn weights_apart_are_verified_served_and_guarded() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    succeed(folder, &["export", PRETRAINED, "--name", "apart", "--out", "store", "--external-data"]);
    succeed(folder, &["export", PRETRAINED, "--name", "apart", "--out", "whole"]);
    let data = folder.join(MODEL).with_extension("onnx.data");
    let size = |path: &Path| std::fs::metadata(path).unwrap().len();
    assert!(size(&data) > 1_000_000 && size(&folder.join(MODEL)) < 200_000, "the weights are in the second file");
    let stdout = succeed(folder, &["verify", MODEL]);
    assert!(stdout.contains("tract") && stdout.contains(", right"), "{stdout}");
    succeed(folder, &["inspect", MODEL]);
    let answers = ["store", "whole"].map(|store| {
        let serving = Serving::start(folder, &["--models", store, "--runtime", "tract"]);
        classes(&serving)
    });
    assert_eq!(answers[0], answers[1]);

    let mut bytes = std::fs::read(&data).unwrap();
    let last = bytes.len() - 3;
    bytes[last] ^= 1;
    let commands: [&[&str]; 3] =
        [&["verify", MODEL], &["inspect", MODEL], &["serve", "--models", "store", "--runtime", "tract", "--port", "0"]];
    for (change, said) in [(Some(bytes), "does not hold the weights"), (None, "cannot read")] {
        match change {
            Some(bytes) => std::fs::write(&data, bytes).unwrap(),
            None => std::fs::remove_file(&data).unwrap(),
        }
        for arguments in commands {
            let (code, _, stderr) = run(folder, arguments);
            assert!(
                code == FAILED && stderr.contains("model.onnx.data") && stderr.contains(said),
                "{arguments:?}: {stderr}"
            );
        }
    }
}
