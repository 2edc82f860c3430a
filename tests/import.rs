//! Published weights from outside: a file as others write it, imported, compiled, and compared with the network's
//! definition, which is written down once more in Python without PyTorch and without us.

mod support;

use serde_json::Value;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use support::{MODEL_TOLERANCE, run, succeed};

/// Runs the script; its standard output.
fn script(python: &OsString, arguments: &[&str], folder: &Path) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/check_import.py");
    let output = Command::new(python).arg(script).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn published_weights_give_the_numbers_of_the_network_s_definition() {
    let Some(python) = std::env::var_os("SELFIE_TEST_PYTHON") else {
        eprintln!("SKIPPED: SELFIE_TEST_PYTHON names no Python with onnx and onnxruntime; ./check makes one");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    script(&python, &["make", "."], folder);
    for file in ["weights.safetensors", "checkpoint.pth"] {
        let (run, model) = (format!("run-of-{file}"), format!("{file}.onnx"));
        let arguments =
            ["import", file, "--arch", "resnet50", "--labels", "labels.txt", "--image-size", "64", "--out", &run];
        let stdout = succeed(folder, &arguments);
        assert!(stdout.contains("6 classes, 64x64"), "{stdout}");
        succeed(folder, &["export", &run, "--out", &model]);
        let errors: Value = serde_json::from_str(&script(&python, &["compare", ".", &model], folder)).unwrap();
        for output in ["logits", "embedding"] {
            assert!(errors[output].as_f64().unwrap() <= MODEL_TOLERANCE, "{file}: {errors}");
        }
        let card: Value = serde_json::from_str(&succeed(folder, &["inspect", &model, "--card"])).unwrap();
        assert_eq!(card["outputs"]["logits"]["labels"][5], "label 5");
        assert_eq!(card["preprocessing"]["crop_size"]["height"], 64);
    }
    let (code, _, stderr) = run(folder, &["import", "weights.safetensors", "--arch", "resnet101", "--out", "other"]);
    assert!(code == 1 && stderr.contains("missing: layer3.10.bn1.bias") && stderr.contains("resnet50"), "{stderr}");
    assert!(!folder.join("other").exists());
}
