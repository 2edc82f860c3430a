//! Files that are written for one runtime: it reads them, the others give the same numbers, and what cannot be is refused.

mod support;

use std::path::Path;
use support::{run, succeed};

const WRONG_USAGE: i32 = 2;
const FAILED: i32 = 1;
const PRETRAINED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/pretrained/fashion-mnist/1/model.onnx");
/// A file of PyTorch, of opset 18.
const RECENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/export/tests/foreign/torch_convolutions.onnx");
const NAMES: [&str; 8] =
    ["candle-onnx", "iree", "jaxonnxruntime", "mnn", "onnx-reference", "onnx2tf", "onnx2torch", "tract"];

fn export(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    run(folder, &[&["export", PRETRAINED, "--out", "model.onnx"], arguments].concat())
}

#[test]
fn an_unknown_runtime_is_answered_with_those_there_are() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, stderr) = export(folder.path(), &["--target", "abacus"]);
    assert_eq!(code, WRONG_USAGE, "{stderr}");
    let missing: Vec<_> = NAMES.iter().filter(|name| !stderr.contains(*name)).collect();
    assert!(missing.is_empty() && stderr.contains("abacus"), "{missing:?}: {stderr}");
}

#[test]
fn a_file_of_an_opset_that_the_runtime_does_not_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, stderr) = run(folder.path(), &["optimize", RECENT, "--out", "model.onnx", "--target", "candle-onnx"]);
    assert_eq!(code, FAILED, "{stderr}");
    assert!(stderr.contains("candle-onnx does not read opset 18; it reads 13 to 17"), "{stderr}");
    assert!(!folder.path().join("model.onnx").exists());
}

#[test]
fn tract_runs_half_precision_that_is_written_for_it() {
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        eprintln!("SKIPPED: lower precision is proven in ONNX Runtime, and ORT_DYLIB_PATH is not set");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let verified = |more: &[&str]| {
        let (code, _, stderr) = export(folder.path(), &[&["--precision", "f16"], more].concat());
        assert_eq!(code, 0, "{stderr}");
        let printed = succeed(folder.path(), &["verify", "model.onnx"]);
        let rows = printed.lines().filter(|line| line.trim_start().starts_with("tract "));
        let rows: Vec<String> = rows.map(str::to_owned).collect();
        assert!(!rows.is_empty(), "{printed}");
        rows
    };
    assert!(verified(&[]).iter().any(|row| row.contains("Gemm")), "tract runs it without a target");
    let rows = verified(&["--target", "tract"]);
    assert!(rows.iter().all(|row| row.split_whitespace().any(|field| field == "ok")), "{rows:?}");
}
