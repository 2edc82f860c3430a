//! `selfie optimize`: files of other writers, and of ours.

mod support;

use std::path::Path;
use support::{run, succeed};

const FAILED: i32 = 1;
/// A file of `torch.onnx.export` without its optimiser, and one whose answers are random numbers.
const FOREIGN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/export/tests/foreign/torch_convolutions_raw.onnx");
const PRETRAINED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/pretrained/fashion-mnist/1/model.onnx");

fn without_onnxruntime() -> bool {
    let absent = std::env::var_os("ORT_DYLIB_PATH").is_none();
    if absent {
        eprintln!("SKIPPED: a simplified file is compared in ONNX Runtime, and ORT_DYLIB_PATH is not set");
    }
    absent
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).unwrap().len()
}

#[test]
fn a_foreign_file_gets_smaller_and_can_be_inspected() {
    if without_onnxruntime() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let stdout = succeed(folder.path(), &["optimize", FOREIGN, "--out", "small.onnx", "--report"]);
    assert!(stdout.contains("onnxruntime") && stdout.contains("fuse_batch_norm"), "{stdout}");
    let small = folder.path().join("small.onnx");
    assert!(size(&small) < size(Path::new(FOREIGN)), "{stdout}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "only the file is left");
    let stdout = succeed(folder.path(), &["inspect", "small.onnx"]);
    assert!(stdout.contains("pytorch") && stdout.contains(", right"), "{stdout}");
    succeed(folder.path(), &["optimize", FOREIGN, "--out", "apart.onnx", "--external-data", "--size", "batch=3"]);
    assert!(folder.path().join("apart.onnx.data").exists());
}

#[test]
fn a_file_of_ours_keeps_its_card() {
    if without_onnxruntime() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    succeed(folder.path(), &["optimize", PRETRAINED, "--out", "again.onnx"]);
    let stdout = succeed(folder.path(), &["verify", "again.onnx"]);
    assert!(stdout.lines().any(|line| line.starts_with("digest: ") && line.ends_with("right")), "{stdout}");
}

#[test]
fn sizes_at_which_the_original_fails_are_an_error_that_names_them() {
    if without_onnxruntime() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (code, _, stderr) = run(folder.path(), &["optimize", FOREIGN, "--out", "o.onnx", "--size", "height=3"]);
    assert!(code == FAILED && stderr.contains("no open axis \"height\""), "{stderr}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
