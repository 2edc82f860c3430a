//! What people type wrong: each gets an exit code, and a message that says what, where and what to do.

mod support;

use std::path::Path;
use support::{run, selfie};

/// Exit code of a command that failed, and of one that was typed wrong.
const FAILED: i32 = 1;
const MISUSED: i32 = 2;

/// The model that comes with the project.
const PRETRAINED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/pretrained/fashion-mnist/1/model.onnx");

#[test]
fn every_wrong_command_line_says_what_is_wrong_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("typo.toml"), "name = 'x'\nstage = 'pretrain'\nbatch_sise = 3\n").unwrap();
    std::fs::write(
        path.join("patch.toml"),
        "name = 'x'\nstage = 'pretrain'\ndata = 'fashion-mnist-sample'\n[network]\npatch_size = 5\n",
    )
    .unwrap();
    std::fs::write(path.join("text.onnx"), "not a model").unwrap();
    std::fs::write(path.join("images.tar.gz"), "compressed").unwrap();
    std::fs::create_dir(path.join("empty")).unwrap();
    std::fs::create_dir(path.join("idx")).unwrap();
    std::fs::write(path.join("idx/train-images-idx3-ubyte"), "short").unwrap();
    let before = names(path);

    let cases: &[(&[&str], i32, &[&str])] = &[
        (&["prettrain"], MISUSED, &["prettrain", "pretrain"]),
        (&["finetune", "--recipe", "quickstart-finetune", "--out", "r", "--labels", "5"], MISUSED, &["5%"]),
        (&["export", "empty", "--out", "s", "--batch", "0"], MISUSED, &["dynamic"]),
        (&["pretrain", "--recipe", "quickstart-pretrian", "--out", "r"], FAILED, &["quickstart-pretrain"]),
        (&["pretrain", "--recipe", "typo.toml", "--out", "r"], FAILED, &["batch_sise", "batch_size", "typo.toml"]),
        (&["pretrain", "--recipe", "patch.toml", "--out", "r"], FAILED, &["patch_size 5", "32x32", "8"]),
        (&["pretrain", "--recipe", "quickstart-finetune", "--out", "r"], FAILED, &["selfie finetune"]),
        (&["pretrain", "--recipe", "quickstart-pretrain", "--out", "r", "--set", "lrr=1"], FAILED, &["lrr"]),
        (&["pretrain", "--recipe", "quickstart-pretrain", "--out", "r", "--device", "gpu"], FAILED, &["gpu", "cpu"]),
        (&["pretrain", "--recipe", "quickstart-pretrain", "--out", "r", "--data", "cifar"], FAILED, &["cifar"]),
        (&["pretrain", "--recipe", "quickstart-pretrain", "--out", "r", "--data", "idx:idx"], FAILED, &["idx"]),
        (&["pretrain", "--recipe", "quickstart-pretrain"], MISUSED, &["--out"]),
        (
            &["pretrain", "--recipe", "quickstart-pretrain", "--dry-run", "--resume"],
            MISUSED,
            &["--dry-run", "--resume"],
        ),
        (
            &["finetune", "--recipe", "quickstart-finetune", "--out", "r", "--set", "freeze=[\"layer1\"]"],
            FAILED,
            &["layer1", "resnet.layer1"],
        ),
        (
            &["finetune", "--recipe", "quickstart-finetune", "--out", "r", "--set", "augment.color_jitter.hue=0.7"],
            FAILED,
            &["augment.color_jitter.hue", "0.5"],
        ),
        (
            &["pretrain", "--recipe", "quickstart-pretrain", "--find-lr", "nowhere/rates.svg", "--set", "steps=1"],
            FAILED,
            &["warmup_steps"],
        ),
        (&["data", "check", "idx:nowhere"], FAILED, &["nowhere"]),
        (&["evaluate", "empty"], FAILED, &["network.json"]),
        (&["evaluate"], MISUSED, &["RUN"]),
        (&["evaluate", "table", "fashion-mnist-tabel", "--out", "t"], FAILED, &["fashion-mnist-table"]),
        (&["evaluate", "table", "fashion-mnist-table", "--out", "t", "--only", "knn"], MISUSED, &["knn", "neighbours"]),
        (&["evaluate", "table", "typo.toml", "--out", "t"], FAILED, &["typo.toml", "batch_sise"]),
        (&["export", "empty", "--out", "s"], FAILED, &["network.json"]),
        (&["export", "text.onnx", "--out", "s"], FAILED, &["text.onnx"]),
        (&["export", PRETRAINED, "--out", "s", "--opset", "13"], FAILED, &["--opset", "run folder"]),
        (&["export", PRETRAINED, "--out", "s", "--precision", "int8"], FAILED, &["--calibrate"]),
        (&["export", PRETRAINED, "--out", "s", "--precision", "f61"], MISUSED, &["f61", "bf16"]),
        (&["export", PRETRAINED, "--out", "s", "--keep-f32", "Relu"], FAILED, &["--keep-f32", "--precision"]),
        (&["export", PRETRAINED, "--out", "s", "--precision", "f16", "--keep-f32", "Relo"], FAILED, &["Relo", "Relu"]),
        (&["export", PRETRAINED, "--out", "s", "--test-on", "fashion-mnist-sample"], FAILED, &["--test-on", "f16"]),
        (&["optimize", "text.onnx", "--out", "o.onnx"], FAILED, &["text.onnx"]),
        (&["optimize", PRETRAINED, "--out", "o.onnx", "--size", "batch"], MISUSED, &["NAME=N"]),
        (&["optimize", PRETRAINED, "--out", "o.onnx", "--size", "width=3"], FAILED, &["width", "batch"]),
        (&["optimize", PRETRAINED, "--out", "o.onnx", "--only", "magic"], FAILED, &["magic", "fuse_gemm"]),
        (&["bench", "export", "--python", "missing-python"], FAILED, &["missing-python"]),
        (&["bench", "export"], MISUSED, &["--python"]),
        (&["verify", "text.onnx"], FAILED, &["text.onnx"]),
        (&["inspect", "text.onnx"], FAILED, &["text.onnx"]),
        (&["inspect", "missing.onnx"], FAILED, &["missing.onnx"]),
        (&["serve", "--models", "empty", "--port", "0"], FAILED, &["empty", "model.onnx"]),
        (&["serve", "--models", "missing", "--port", "0"], FAILED, &["missing"]),
        (&["serve", "--models", "empty", "--port", "0", "--tls-cert", "text.onnx"], FAILED, &["tls_key", "tls_cert"]),
        (&["serve", "--grpc-port", "66000"], MISUSED, &["66000", "grpc-port"]),
        (&["embed", "--out", "v.npy"], MISUSED, &["INPUT"]),
        (&["embed", "empty", "--out", "v.npy", "--shard", "3/2"], MISUSED, &["3/2", "1/4"]),
        (&["embed", "empty", "--out", "v.csv"], FAILED, &["v.csv", ".parquet"]),
        (&["embed", "missing", "--out", "v.npy"], FAILED, &["missing"]),
        (&["embed", "empty", "--out", "v.npy"], FAILED, &["empty", "no image"]),
        (&["embed", "images.tar.gz", "--out", "v.npy", "--skip-damaged"], FAILED, &["images.tar.gz", "unpack it"]),
        (&["embed", "empty", "--out", "v.npy", "--thumbnails"], FAILED, &["v.npy", "thumbnails"]),
        (&["embed", "empty", "--out", "v.npy", "--model", "text.onnx"], FAILED, &["text.onnx"]),
        (&["classify", "empty", "--out", "v.npy"], FAILED, &["v.npy", ".jsonl"]),
        (&["classify", "empty", "--out", "v.jsonl", "--top-k", "0"], FAILED, &["top_k"]),
        (&["serve", "--models", "empty", "--port", "0", "--runtime", "tensorrt"], FAILED, &["tensorrt", "tract"]),
    ];
    let mut wrong = Vec::new();
    for (arguments, expected, parts) in cases {
        let (code, stdout, stderr) = run(path, arguments);
        let silent: Vec<_> = parts.iter().filter(|part| !stderr.contains(**part)).collect();
        let is_repeated = stderr.matches("(os error ").count() > 1;
        if code != *expected || !silent.is_empty() || is_repeated || stderr.contains("panicked") {
            wrong.push(format!("{arguments:?}: exit code {code}, not said: {silent:?}\n{stdout}{stderr}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let left: Vec<String> = names(path).into_iter().filter(|name| !before.contains(name) && name != "r").collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    assert!(!path.join("r/weights.safetensors").exists());
}

#[test]
fn a_missing_runtime_asked_for_by_name_is_an_error_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let output = selfie()
        .args(["serve", "--runtime", "onnxruntime", "--port", "0", "--models"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/models/pretrained"))
        .env("SELFIE_CACHE", folder.path())
        .env_remove("ORT_DYLIB_PATH")
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(FAILED), "{stderr}");
    assert!(stderr.contains("selfie runtime install"), "{stderr}");
}

#[test]
fn a_port_in_use_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, _, stderr) = run(folder, &["serve", "--models", "models/pretrained", "--port", &port]);
    assert!(code == FAILED && stderr.contains(&port), "{code} {stderr}");
}

#[test]
#[cfg(unix)]
fn a_reader_that_goes_away_ends_a_command_quietly() {
    use std::process::Stdio;
    /// 128 and the number of the signal.
    const UNREAD: i32 = 141;
    let mut command = selfie();
    command.args(["inspect", PRETRAINED]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(UNREAD) && stderr.is_empty(), "{:?} {stderr}", output.status);
}

fn names(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A limit on the size of files stands for a disk that is full: the system refuses to write in the same place.
#[test]
#[cfg(unix)]
fn a_disk_that_is_full_is_an_error_and_leaves_no_file() {
    const LIMITED: &str = "trap '' XFSZ; ulimit -f 1000; exec \"$0\" \"$@\"";
    let folder = tempfile::tempdir().unwrap();
    for (extra, refused) in [(&[][..], "full.onnx"), (&["--external-data"], "full.onnx.data")] {
        let program = selfie().get_program().to_owned();
        let mut command = std::process::Command::new("sh");
        command.args(["-c", LIMITED]).arg(program).args(["export", PRETRAINED, "--out", "full.onnx"]).args(extra);
        let output = command.current_dir(folder.path()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(FAILED), "{stderr}");
        assert!(stderr.contains(refused) && stderr.contains("File too large"), "{stderr}");
        assert_eq!(names(folder.path()), Vec::<String>::new(), "{extra:?}");
    }
}
