//! Clients that are not ours. They need a Python with `tests/python/requirements.txt`: `SELFIE_TEST_PYTHON`.

use super::client::*;
use super::galleries::served;
use super::network::{Network, store};
use super::pictures::*;
use super::tls::{encrypted, identity};
use selfie_serve::logging::{Log, Shown, install};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// Says that a test is skipped. Not by eprintln, whose text the test runner swallows.
fn skip(what: &str) {
    std::io::stderr().write_all(format!("SKIPPED: {what}\n").as_bytes()).unwrap();
}

/// A script of `tests/python`, unless there is no Python for it.
pub fn python(script: &str) -> Option<Command> {
    let Some(python) = std::env::var_os("SELFIE_TEST_PYTHON").filter(|path| !path.is_empty()) else {
        skip(&format!("{script}; SELFIE_TEST_PYTHON names no Python with its packages, ./check makes one"));
        return None;
    };
    let mut command = Command::new(python);
    command.arg(format!("{}/../tests/python/{script}", env!("CARGO_MANIFEST_DIR")));
    Some(command)
}

/// Runs a script with `expected` as its standard input.
pub fn run(script: &str, arguments: &[&str], expected: &Value) {
    let Some(mut command) = python(script) else { return };
    let mut child =
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(expected.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{script}: {}\n{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stdout).trim(), "ok");
}

/// The log of these tests as clients see it.
struct Settings(Mutex<Shown>);

impl Log for Settings {
    fn shown(&self) -> Shown {
        *self.0.lock().unwrap()
    }

    fn show(&self, shown: Shown) {
        *self.0.lock().unwrap() = shown;
    }
}

fn log() {
    install(Settings(Mutex::new(Shown { errors: true, warnings: true, infos: true, verbose: 0 })));
}

/// What the scripts for tritonclient compare with.
fn expected(server: &Running, network: &Network) -> Value {
    let data: Vec<f32> = (0..2 * 192).map(|index| (index % 11) as f32 / 5.0 - 1.0).collect();
    let outputs = network.eval(&data, 2);
    let images = [base64(&png(1)), base64(&jpeg(2)), base64(&png(3))];
    json!({
        "input": data,
        "embedding": outputs[0].2,
        "logits": outputs[1].2,
        "images": images,
        "vectors": server.embed(&json!({"input": images})),
        "tolerance": super::network::TOLERANCE,
    })
}

#[test]
fn tritonclient_passes() {
    log();
    let network = Network { classes: 5, ..Network::default() };
    let store = store(&[("net", network.clone())]);
    let server = serve(selfie_serve::Config { admin: true, ..config(store.path()) });
    run("check_tritonclient.py", &[&server.url], &expected(&server, &network));
}

#[test]
fn tritonclient_passes_over_grpc() {
    log();
    let network = Network { classes: 5, ..Network::default() };
    let store = store(&[("net", network.clone())]);
    let config = selfie_serve::Config { admin: true, grpc_port: Some(0), ..config(store.path()) };
    let plain = serve(config.clone());
    let expected = expected(&plain, &network);
    let address = |server: &Running| server.grpc_addr.unwrap().to_string();
    run("check_grpc.py", &[&address(&plain)], &expected);
    let identity = identity();
    let certificate = identity.certificate.to_str().unwrap();
    run("check_grpc.py", &[&address(&start(encrypted(config, &identity))), certificate], &expected);
}

#[test]
fn the_openai_client_passes() {
    let store = store(&[("net", Network::default()), ("other", Network { classes: 0, ..Network::default() })]);
    let server = serve(config(store.path()));
    let images = [base64(&png(1)), base64(&jpeg(2)), base64(&png(3))];
    let expected = json!({
        "images": images,
        "vectors": server.embed(&json!({"model": "net", "input": images})),
        "tolerance": super::network::TOLERANCE,
    });
    run("check_openai.py", &[&server.url], &expected);
}

#[test]
fn the_client_of_hugging_face_passes() {
    let network = Network { classes: 5, ..Network::default() };
    let store = store(&[("net", network)]);
    let server = serve(config(store.path()));
    let images = [base64(&png(1)), base64(&jpeg(2)), base64(&png(3))];
    let logits = images.each_ref().map(|image| {
        let tensor = json!({"inputs": [{"name": "pixel_values", "shape": [1], "datatype": "BYTES", "data": [image]}]});
        let answer: Value = server.json("/v2/models/net/infer", &tensor).json().unwrap();
        answer["outputs"][1]["data"].clone()
    });
    let labels: Vec<_> = (0..5).map(|index| format!("class {index}")).collect();
    let expected =
        json!({"images": images, "logits": logits, "labels": labels, "tolerance": super::network::TOLERANCE});
    run("check_huggingface.py", &[&server.url], &expected);
}

#[test]
fn the_server_keeps_what_its_openapi_document_says() {
    log();
    let store = store(&[("net", Network::default())]);
    let server = serve(selfie_serve::Config { admin: true, ..config(store.path()) });
    run("check_openapi.py", &[&server.url], &Value::Null);
}

#[test]
fn the_console_works_in_a_browser() {
    if Command::new("chromedriver").arg("--version").output().is_err() {
        skip("check_console.py; there is no chromedriver, Debian's package is chromium-driver");
        return;
    }
    let (_folders, server) = served(Network { classes: 5, ..Network::default() });
    let images = [base64(&png(1)), base64(&jpeg(2))];
    let ask = |path: &str, body: Value| server.json(path, &body).json::<Value>().unwrap();
    let search = json!({"input": images, "gallery": "pictured", "k": 6, "map": true});
    let expected = json!({
        "images": images,
        "classes": ask("/v1/classify", json!({"input": images}))["data"],
        "neighbours": ask("/v1/search", search)["data"],
        "map": server.get("/v1/galleries/pictured/map").send().unwrap().json::<Value>().unwrap(),
    });
    run("check_console.py", &[&server.url], &expected);
}
