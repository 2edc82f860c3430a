//! The model that comes with the project in other precisions and with bytes as input: size, accuracy, served.

mod support;

use serde_json::Value;
use std::path::Path;
use support::{Serving, client, jpeg, python, run, script, succeed};

const PRETRAINED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/pretrained/fashion-mnist/1/model.onnx");
const DATA: &str = "fashion-mnist-sample";
/// What half precision and 8-bit integers must keep.
const LEAST_COSINE: f64 = 0.9999;
const LARGEST_LOSS: f64 = 0.005;
/// Size of the file against that of 32-bit floats.
const LARGEST_HALF: f64 = 0.55;
const LARGEST_INT8: f64 = 0.3;

/// Exports into a store and gives the file.
fn export(store: &Path, name: &str, arguments: &[&str]) -> std::path::PathBuf {
    let out = store.to_str().unwrap();
    succeed(store, &[&["export", PRETRAINED, "--name", name, "--out", out], arguments].concat());
    store.join(name).join("1/model.onnx")
}

fn card(file: &Path) -> Value {
    serde_json::from_str(&succeed(file.parent().unwrap(), &["inspect", "model.onnx", "--card"])).unwrap()
}

fn size(file: &Path) -> f64 {
    std::fs::metadata(file).unwrap().len() as f64
}

fn without_onnxruntime() -> bool {
    let absent = std::env::var_os("ORT_DYLIB_PATH").is_none();
    if absent {
        eprintln!("SKIPPED: lower precision is proven in ONNX Runtime, and ORT_DYLIB_PATH is not set");
    }
    absent
}

#[test]
fn half_precision_is_half_as_large_and_as_good() {
    if without_onnxruntime() {
        return;
    }
    let store = tempfile::tempdir().unwrap();
    for (precision, least) in [("f16", LEAST_COSINE), ("bf16", 0.999)] {
        let file = export(store.path(), precision, &["--precision", precision]);
        let lowered = &card(&file)["provenance"]["precision"];
        assert_eq!(lowered["precision"], precision);
        for output in ["embedding", "logits"] {
            let cosine = lowered["cosine"][output].as_f64().unwrap();
            assert!(cosine >= least, "{precision}, {output}: {cosine}");
        }
        let part = size(&file) / size(Path::new(PRETRAINED));
        assert!(part <= LARGEST_HALF, "{precision}: {part}");
        succeed(store.path(), &["verify", file.to_str().unwrap()]);
    }
}

#[test]
fn integers_cost_little_accuracy_and_no_runtime_runs_them_wrong() {
    if without_onnxruntime() {
        return;
    }
    let store = tempfile::tempdir().unwrap();
    for method in ["minmax", "percentile", "entropy"] {
        let int8 = ["--precision", "int8", "--calibrate", DATA, "--calibration", method];
        let file = export(store.path(), method, &int8);
        let lowered = &card(&file)["provenance"]["precision"];
        assert_eq!(lowered["calibration"], format!("{method} on {DATA}"));
        let accuracy = |index: usize| lowered["accuracy"][index].as_f64().unwrap();
        assert!(accuracy(0) >= 0.88 && accuracy(0) - accuracy(1) <= LARGEST_LOSS, "{method}: {lowered:#}");
        let part = size(&file) / size(Path::new(PRETRAINED));
        assert!(part <= LARGEST_INT8, "{method}: {part}");
        succeed(store.path(), &["verify", file.to_str().unwrap()]);
    }
}

#[test]
fn images_get_the_same_classes_whatever_the_file_takes() {
    let store = tempfile::tempdir().unwrap();
    export(store.path(), "floats", &[]);
    let bytes = export(store.path(), "bytes", &["--input", "u8"]);
    let input = &card(&bytes)["input"];
    assert_eq!((&input["dtype"], &input["layout"]), (&Value::from("u8"), &Value::from("NHWC")));
    let lower = !without_onnxruntime();
    if lower {
        export(store.path(), "half", &["--input", "u8", "--precision", "f16"]);
    }
    let client = client();
    let scores = |serving: &Serving, model: &str| -> Vec<f64> {
        let address = format!("{}/v1/classify?model={model}&top_k=10", serving.address);
        let answer = client.post(address).header("content-type", "image/jpeg").body(jpeg()).send().unwrap();
        let answer: Value = answer.error_for_status().unwrap().json().unwrap();
        let predictions = answer["data"][0]["predictions"].as_array().unwrap();
        let mut scores: Vec<(u64, f64)> =
            predictions.iter().map(|one| (one["index"].as_u64().unwrap(), one["score"].as_f64().unwrap())).collect();
        scores.sort_by_key(|(index, _)| *index);
        scores.into_iter().map(|(_, score)| score).collect()
    };
    for runtime in ["auto", "rten"] {
        let serving = Serving::start(store.path(), &["--models", ".", "--runtime", runtime]);
        let expected = scores(&serving, "floats");
        let cases = [("bytes", support::MODEL_TOLERANCE), ("half", 1e-2)];
        for (model, tolerance) in cases.into_iter().take(1 + usize::from(lower)) {
            let found = scores(&serving, model);
            let largest = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            let right = found.len() == 10 && largest <= tolerance;
            assert!(right, "{model} in {runtime}: {found:?}, expected {expected:?}");
        }
    }
}

#[test]
fn every_form_passes_python_s_checker() {
    if python().is_none() {
        return;
    }
    let store = tempfile::tempdir().unwrap();
    let mut forms = vec![("u8", vec!["--input", "u8"])];
    if !without_onnxruntime() {
        forms.push(("f16", vec!["--precision", "f16"]));
        forms.push(("bf16", vec!["--precision", "bf16"]));
        forms.push(("int8", vec!["--precision", "int8", "--calibrate", DATA, "--input", "u8"]));
    }
    for (name, arguments) in forms {
        let file = export(store.path(), name, &arguments);
        for checker in ["check_model.py", "check_attributes.py"] {
            script(checker, [&file]);
        }
    }
}

#[test]
fn a_lowered_file_is_not_lowered_again() {
    if without_onnxruntime() {
        return;
    }
    let store = tempfile::tempdir().unwrap();
    let file = export(store.path(), "half", &["--precision", "f16"]);
    let again = store.path().join("again.onnx");
    let arguments = ["export", file.to_str().unwrap(), "--precision", "bf16", "--out", again.to_str().unwrap()];
    let (code, _, stderr) = run(store.path(), &arguments);
    assert!(code == 1 && !again.exists(), "{stderr}");
    assert!(stderr.contains("f32") || stderr.contains("compiled again"), "{stderr}");
}
