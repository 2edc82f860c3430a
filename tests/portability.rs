//! The exported files in runtimes that are not ours: the quick part of `tests/portability/portability.py`.

use std::process::Command;

/// The runtimes of the quick part, each of which runs every model of it.
const RUNTIMES: [&str; 6] =
    ["ONNX reference evaluator", "ONNX Runtime, Python", "ONNX Runtime, Rust", "tract", "rten", "Burn, by burn-onnx"];

#[test]
fn the_runtimes_of_the_quick_part_give_the_golden_numbers() {
    let (Some(python), Some(_)) = (std::env::var_os("SELFIE_TEST_PYTHON"), std::env::var_os("ORT_DYLIB_PATH")) else {
        eprintln!("SKIPPED: SELFIE_TEST_PYTHON or ORT_DYLIB_PATH is not set; ./check sets both");
        return;
    };
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(&python)
        .arg("-B")
        .arg(format!("{root}/tests/portability/portability.py"))
        .args(["--quick", "--selfie", env!("CARGO_BIN_EXE_selfie"), "--python"])
        .arg(&python)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let stdout = text(&output.stdout);
    assert!(output.status.success(), "{stdout}\n{}", text(&output.stderr));
    for runtime in RUNTIMES {
        let rows = stdout.lines().filter(|line| line.starts_with(&format!("{runtime} · ")));
        assert_eq!(rows.count(), 4, "{runtime}\n{stdout}");
    }
}
