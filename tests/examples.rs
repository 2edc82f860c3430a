//! The same picture gives the same embedding by every example: in Python, in a browser, and from the server.

mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::pictures::{BETWEEN, pictures};
use support::{Serving, jpeg, png, python, succeed};

/// Least cosine between two embeddings of one picture.
const LEAST_COSINE: f64 = 0.9999;
const MODEL: &str = "models/pretrained/fashion-mnist/1/model.onnx";
/// Examples whose packages `tests/portability/portability.py` installs, by the name of its adapter.
const RUNTIMES: [(&str, &str); 9] = [
    ("openvino_cpu", "openvino"),
    ("opencv_dnn", "opencv"),
    ("mnn_module", "mnn"),
    ("ncnn_net", "ncnn"),
    ("iree_vm", "iree"),
    ("tvm_relax", "tvm"),
    ("jax_graph", "jax"),
    ("torch_module", "onnx2torch"),
    ("tflite", "tflite"),
];

/// Examples in Rust, which `tests/portability/portability.py --examples` builds.
const CRATES: [&str; 5] = ["burn", "candle", "ort", "rten", "tract"];

/// Changes of the model's card under which images are prepared otherwise: odd rests around the image, and a side that is
/// rounded.
fn cards() -> [Value; 2] {
    [
        json!({"size": {"height": 27, "width": 27}}),
        json!({"size": {"shortest_edge": 43}, "crop_size": {"height": 28, "width": 28}}),
    ]
}

/// Runs a program of `examples/` or `tests/` from the root and gives what it prints.
fn printed(program: &Path, arguments: &[&str]) -> String {
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(program)
        .current_dir(root)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The vector that a program prints. Some runtimes print words of their own before.
fn embedding(program: &Path, arguments: &[&str]) -> Vec<f64> {
    serde_json::from_str(printed(program, arguments).trim().lines().last().unwrap()).unwrap()
}

/// The vectors that a program prints, a line each.
fn embeddings(program: &Path, arguments: &[&str]) -> Vec<Vec<f64>> {
    let vector = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{arguments:?}: {line}"));
    printed(program, arguments).lines().map(vector).collect()
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// The folder with the packages of the browser's example.
fn browser() -> Option<PathBuf> {
    let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/portability/node-ort_web");
    if packages.join("node_modules/onnxruntime-web").is_dir() {
        return Some(packages);
    }
    eprintln!("SKIPPED: the browser; `tests/portability/portability.py --install browser` brings its packages");
    None
}

/// The example in Node where its packages are: a module finds them in the folders above its own.
fn in_node() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let packages = root.join("target/portability/node-ort_node");
    if !packages.join("node_modules/sharp").is_dir() {
        eprintln!(
            "SKIPPED: the example in Node; `tests/portability/portability.py --install Node` brings its packages"
        );
        return None;
    }
    for file in ["node/embed.mjs", "web/card.mjs"] {
        let copy = packages.join(file);
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(root.join("examples").join(file), copy).unwrap();
    }
    Some(packages.join("node/embed.mjs"))
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
    let Some(python) = python() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let png = folder.path().join("shirt.png");
    image::load_from_memory(&jpeg()).unwrap().save(&png).unwrap();
    let png = png.to_str().unwrap();

    let python = Path::new(&python);
    let expected = embedding(python, &["examples/python/onnxruntime_embed.py", MODEL, png]);
    assert_eq!(expected.len(), 512);
    let serving = Serving::start(root, &["--models", "models/pretrained"]);
    let mut found = vec![
        ("server", embedding(python, &["examples/python/client.py", &serving.address, png])),
        ("reference", embedding(python, &["examples/python/reference_embed.py", MODEL, png])),
    ];

    let (node, card, model) = (Path::new("node"), folder.path().join("card.json"), root.join(MODEL));
    std::fs::write(&card, succeed(root, &["inspect", MODEL, "--card"])).unwrap();
    let (card, model) = (card.to_str().unwrap(), model.to_str().unwrap());
    if let Some(packages) = browser() {
        let packages = packages.to_str().unwrap();
        found.push(("browser", embedding(node, &["tests/portability/web_example.mjs", model, card, packages, png])));
        found.push(("client in Node", embedding(node, &["examples/node/client.mjs", &serving.address, png])));
    }
    if let Some(program) = in_node() {
        found.push(("Node", embedding(node, &[program.to_str().unwrap(), model, card, png])));
    }
    for (adapter, name) in RUNTIMES {
        let python = root.join(format!("target/portability/venv-{adapter}/bin/python"));
        if python.is_file() {
            found.push((name, embedding(&python, &[&format!("examples/python/{name}_embed.py"), MODEL, png])));
        } else {
            eprintln!("SKIPPED: the example of {name}; tests/portability/portability.py installs its packages");
        }
    }
    for name in CRATES {
        let program = root.join(format!("target/portability/rust-examples/release/{name}_embed"));
        if program.is_file() {
            found.push((name, embedding(&program, &[model, card, png])));
        } else {
            eprintln!("SKIPPED: the example of {name} in Rust; tests/portability/portability.py --examples builds it");
        }
    }
    for (place, vector) in found {
        let cosine = cosine(&expected, &vector);
        assert!(cosine >= LEAST_COSINE, "{place}: {cosine}");
    }
}

#[test]
fn every_kind_of_picture_is_prepared_in_python_and_in_a_browser_as_selfie_embed_does() {
    let Some(python) = python() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own: Value = serde_json::from_str(&succeed(root, &["inspect", MODEL, "--card"])).unwrap();
    let pictures = pictures();
    let mut wrong = Vec::new();
    for changes in cards() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let mut card = own.clone();
        for (field, value) in changes.as_object().unwrap() {
            card["preprocessing"][field] = value.clone();
        }
        std::fs::write(place("card.json"), card.to_string()).unwrap();
        std::fs::copy(root.join(MODEL), place("model.onnx")).unwrap();
        pictures.iter().for_each(|(name, bytes)| std::fs::write(place(name), bytes).unwrap());
        let names: Vec<&str> = pictures.iter().map(|(name, _)| *name).collect();
        let arguments = ["embed", "--model", "model.onnx", "--out", "vectors.jsonl"];
        succeed(folder.path(), &[&arguments[..], &names[..]].concat());
        let expected = vectors(Path::new(&place("vectors.jsonl")));

        let mut compare = |program: &Path, arguments: &[&str], names: &[&str]| {
            let files: Vec<String> = names.iter().map(|name| place(name)).collect();
            let files: Vec<&str> = files.iter().map(String::as_str).collect();
            let found = embeddings(program, &[arguments, &files[..]].concat());
            assert_eq!(found.len(), names.len(), "{arguments:?}");
            for (name, vector) in names.iter().zip(&found) {
                let cosine = cosine(&expected[*name], vector);
                if cosine.is_nan() || cosine < LEAST_COSINE {
                    wrong.push(format!("{}, {name}, {changes}: {cosine}", program.display()));
                }
            }
        };
        let (model, card) = (place("model.onnx"), place("card.json"));
        compare(Path::new(&python), &["examples/python/onnxruntime_embed.py", model.as_str()], &names);
        if let Some(packages) = browser() {
            let arguments =
                ["tests/portability/web_example.mjs", model.as_str(), card.as_str(), packages.to_str().unwrap()];
            let names: Vec<&str> = names.iter().copied().filter(|name| *name != BETWEEN).collect();
            compare(Path::new("node"), &arguments, &names);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The vectors of a file that `selfie embed` wrote, by the names of their images.
fn vectors(path: &Path) -> BTreeMap<String, Vec<f64>> {
    let row = |line: &str| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        (row["id"].as_str().unwrap().to_owned(), serde_json::from_value(row["vector"].take()).unwrap())
    };
    std::fs::read_to_string(path).unwrap().lines().map(row).collect()
}
