//! `selfie serve --check`: what the server would do, without serving.

mod support;

use std::path::Path;
use std::process::Stdio;
use support::{run, selfie};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/pretrained/fashion-mnist/1/model.onnx");

#[test]
fn the_plan_names_the_source_of_every_option_and_proves_the_models() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let version = path.join("store/good/3");
    std::fs::create_dir_all(&version).unwrap();
    std::fs::copy(MODEL, version.join("model.onnx")).unwrap();
    let file = "models = \"store\"\nmax_batch_size = 4\nruntime = \"onnxruntime\"\nlog = \"error\"\n";
    std::fs::write(path.join("serve.toml"), file).unwrap();
    let check = || {
        let output = selfie()
            .current_dir(path)
            .args(["serve", "--check", "--config", "serve.toml", "--runtime=tract", "--sessions=1"])
            .env("SELFIE_MAX_QUEUE_ITEMS", "99")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, stdout, stderr) = check();
    assert_eq!(code, Some(0), "{stdout}\n{stderr}");
    let row = |first: &str| -> Vec<String> {
        let line = stdout.lines().find(|line| line.split_whitespace().next() == Some(first));
        line.unwrap_or_else(|| panic!("no {first} in {stdout}")).split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(row("max_batch_size"), ["max_batch_size", "4", "serve.toml"]);
    assert_eq!(row("max_queue_items"), ["max_queue_items", "99", "SELFIE_MAX_QUEUE_ITEMS"]);
    assert_eq!(row("runtime"), ["runtime", "\"tract\"", "--runtime"]);
    assert_eq!(row("otlp_endpoint"), ["otlp_endpoint", "\"http://127.0.0.1:4317\"", "OTEL_EXPORTER_OTLP_ENDPOINT"]);
    assert_eq!(row("poll_ms"), ["poll_ms", "0", "default"]);
    assert_eq!(row("log"), ["log", "\"error\"", "serve.toml"]);
    assert_eq!(row("log_format"), ["log_format", "\"text\"", "default"]);
    for option in ["grpc_port", "tls_cert", "tls_key", "api_keys", "admin_keys", "onnxruntime"] {
        assert_eq!(row(option), [option, "unset", "default"]);
    }
    let threads = stdout.lines().find(|line| line.starts_with("threads: ")).unwrap();
    assert!(threads.ends_with(" for http") && !threads.contains(" 0 for "), "{threads}");
    assert_eq!(row("good"), ["good", "3", "2.1", "4", "1", "3", "would", "serve"]);
    assert!(stdout.contains("memory: ") && stdout.contains("runtime of good: tract on cpu"), "{stdout}");

    let bad = path.join("store/bad/1");
    std::fs::create_dir_all(&bad).unwrap();
    std::fs::write(bad.join("model.onnx"), "no model").unwrap();
    let (code, stdout, stderr) = check();
    assert_eq!(code, Some(1));
    assert!(stdout.contains("not a complete ONNX model") && stderr.contains("refused: bad"), "{stdout}\n{stderr}");
}

#[test]
fn what_keeps_a_server_from_starting_keeps_its_plan_from_passing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("none"), "# no key\n").unwrap();
    std::fs::write(path.join("text"), "no certificate").unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (none, text) = (path.join("none"), path.join("text"));
    let [none, text] = [&none, &text].map(|path| path.to_str().unwrap());
    for (arguments, expected) in [
        (vec!["--api-keys", "/nope"], "/nope"),
        (vec!["--api-keys", none], "holds no key"),
        (vec!["--admin-keys", "/nope"], "/nope"),
        (vec!["--tls-cert", "/nope", "--tls-key", "/nope"], "/nope"),
        (vec!["--tls-cert", text, "--tls-key", text], "holds no certificate"),
        (vec!["--tls-key", text], "tls_cert"),
        (vec!["--fetch-hosts", "http://a.example/"], "fetch_hosts"),
        (vec!["--otlp-endpoint", "collector"], "otlp_endpoint"),
        (vec!["--max-batch-size", "0"], "max_batch_size"),
        (vec!["--gallery", "/nope.npy"], "/nope.npy"),
    ] {
        let said = |check: &[&str]| {
            let beginning = ["serve", "--runtime", "tract", "--port", "0", "--log", "off"];
            let arguments = [&beginning[..], check, &arguments[..]].concat();
            let (code, stdout, stderr) = run(root, &arguments);
            assert_eq!(code, 1, "{arguments:?}: {stdout}{stderr}");
            stderr
        };
        let refused = said(&["--check"]);
        assert!(refused.contains(expected), "{arguments:?}: {refused}");
        assert_eq!(refused, said(&[]), "{arguments:?}");
    }
}
