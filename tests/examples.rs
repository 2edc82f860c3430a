//! The same picture gives the same embedding by every example: in Python, in a browser, and from the server.

mod support;

use serde_json::Value;
use std::path::Path;
use std::process::Command;
use support::{Serving, jpeg, png, succeed};

/// Least cosine between two embeddings of one picture.
const LEAST_COSINE: f64 = 0.9999;
const MODEL: &str = "models/pretrained/fashion-mnist/1/model.onnx";
/// Examples whose packages `tests/portability/portability.py` installs, by the name of its adapter.
const RUNTIMES: [(&str, &str); 6] = [
    ("openvino_cpu", "openvino"),
    ("opencv_dnn", "opencv"),
    ("mnn_module", "mnn"),
    ("tvm_relax", "tvm"),
    ("jax_graph", "jax"),
    ("torch_module", "onnx2torch"),
];

/// Runs a program of `examples/` or `tests/` from the root and gives the vector that it prints.
fn embedding(program: &Path, arguments: &[&str]) -> Vec<f64> {
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(program)
        .current_dir(root)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
    // Some runtimes print words of their own before.
    let stdout = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(stdout.trim().lines().last().unwrap()).unwrap()
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn the_lines_of_the_readme_that_ask_the_server_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("photos")).unwrap();
    for name in ["photo.jpg", "a.jpg", "photos/1.jpg"] {
        std::fs::write(folder.path().join(name), jpeg()).unwrap();
    }
    std::fs::write(folder.path().join("b.png"), png(&[7; 28 * 28])).unwrap();
    succeed(folder.path(), &["embed", "photos", "--out", "photos.parquet", "--thumbnails"]);
    let serving = Serving::start(folder.path(), &["--gallery", "photos.parquet"]);
    let readme = include_str!("../README.md");
    let lines: Vec<&str> = readme.lines().filter(|line| line.starts_with("curl ")).collect();
    assert!(lines.len() >= 4, "{lines:?}");
    for line in lines {
        let line = line.replace("localhost:8000", &serving.address).replacen("curl", "curl -sS --fail", 1);
        let output = Command::new("sh").args(["-c", &line]).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(answer["data"].as_array().is_some_and(|data| !data.is_empty()), "{line}\n{answer}");
    }
}

#[test]
fn the_same_picture_gives_the_same_embedding_in_python_in_a_browser_and_from_the_server() {
    let Some(python) = std::env::var_os("SELFIE_TEST_PYTHON") else {
        eprintln!("SKIPPED: SELFIE_TEST_PYTHON names no Python with onnxruntime and pillow; ./check makes one");
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let png = folder.path().join("shirt.png");
    image::load_from_memory(&jpeg()).unwrap().save(&png).unwrap();
    let png = png.to_str().unwrap();

    let python = Path::new(&python);
    let expected = embedding(python, &["examples/python/onnxruntime_embed.py", MODEL, png]);
    assert_eq!(expected.len(), 512);
    let serving = Serving::start(root, &["--models", "models/pretrained"]);
    let mut found = vec![("server", embedding(python, &["examples/python/client.py", &serving.address, png]))];

    let packages = root.join("target/portability/node-ort_web");
    if packages.join("node_modules/onnxruntime-web").is_dir() {
        let card = folder.path().join("card.json");
        std::fs::write(&card, succeed(root, &["inspect", MODEL, "--card"])).unwrap();
        let (model, card, packages) = (root.join(MODEL), card.to_str().unwrap(), packages.to_str().unwrap());
        let arguments = ["tests/portability/web_example.mjs", model.to_str().unwrap(), card, png, packages];
        let node = Path::new("node");
        found.push(("browser", embedding(node, &arguments)));
        found.push(("client in Node", embedding(node, &["examples/node/client.mjs", &serving.address, png])));
    } else {
        eprintln!("SKIPPED: the browser; `tests/portability/portability.py --install browser` brings its packages");
    }
    for (adapter, name) in RUNTIMES {
        let python = root.join(format!("target/portability/venv-{adapter}/bin/python"));
        if python.is_file() {
            found.push((name, embedding(&python, &[&format!("examples/python/{name}_embed.py"), MODEL, png])));
        } else {
            eprintln!("SKIPPED: the example of {name}; tests/portability/portability.py installs its packages");
        }
    }
    for (place, vector) in found {
        let cosine = cosine(&expected, &vector);
        assert!(cosine >= LEAST_COSINE, "{place}: {cosine}");
    }
}
