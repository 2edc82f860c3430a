//! `selfie quickstart --data`: images of one's own, with and without labels, up to a server that finds them.

mod support;

use serde_json::Value;
use std::path::Path;
use support::{Serving, client, fashion, run, succeed};

const FAILED: i32 = 1;
const MISUSED: i32 = 2;

/// Few and small steps: what comes out is not looked at.
const SETTINGS: [&str; 7] = [
    "pretrain.steps=4",
    "finetune.steps=3",
    "warmup_steps=1",
    "batch_size=8",
    "network.width=4",
    "images.size=32",
    "network.patch_size=8",
];

/// Folders `all` without classes and `sorted` with a folder for each class, of pictures of the bundled sample as PNG files.
fn photos() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (index, (png, label)) in fashion(60).into_iter().enumerate() {
        let class = if label % 2 == 0 { "even" } else { "odd" };
        let mut places = vec![folder.path().join("all")];
        if index % 2 == 0 {
            places.push(folder.path().join("sorted").join(class));
        }
        for place in places {
            std::fs::create_dir_all(&place).unwrap();
            std::fs::write(place.join(format!("{index:03}.png")), &png).unwrap();
        }
    }
    folder
}

fn quickstart(folder: &Path, more: &[&str]) -> (i32, String, String) {
    let settings = SETTINGS.iter().flat_map(|setting| ["--set", setting]);
    let arguments: Vec<&str> =
        ["quickstart", "--no-serve"].into_iter().chain(settings).chain(more.iter().copied()).collect();
    run(folder, &arguments)
}

fn summary(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn a_folder_without_labels_becomes_a_service_of_vectors_that_finds_its_images() {
    let photos = photos();
    let path = photos.path();
    let (code, stdout, stderr) = quickstart(path, &["--data", "images:all"]);
    assert_eq!(code, 0, "{stdout}\n{stderr}");
    let made = path.join("selfie-own");
    let summary = summary(&made);
    assert_eq!((&summary["finetune"], &summary["gallery"]["images"]), (&Value::Null, &60.into()), "{summary:#}");
    let inspected = succeed(path, &["inspect", "selfie-own/store/quickstart/1/model.onnx"]);
    assert!(inspected.contains("embedding") && !inspected.contains("logits"), "{inspected}");

    // The line that it prints starts the server.
    let line = stdout.lines().find_map(|line| line.strip_prefix("serve it: selfie serve ")).unwrap();
    let serving = Serving::start(path, &line.split_whitespace().collect::<Vec<_>>());
    let image = std::fs::read(path.join("all/007.png")).unwrap();
    let ask = client().post(format!("{}/v1/search?k=1", serving.address)).header("content-type", "image/png");
    let answer: Value = ask.body(image).send().unwrap().json().unwrap();
    assert_eq!(answer["data"][0]["neighbours"][0]["id"], "all/007.png", "{answer}");

    // A second start goes on with finished runs, and makes the next version with a gallery of its own.
    let (code, stdout, stderr) = quickstart(path, &["--data", "images:all"]);
    assert_eq!(code, 0, "{stdout}\n{stderr}");
    assert!(made.join("gallery-2.parquet").is_file() && made.join("gallery-1.parquet").is_file(), "{stdout}");
}

#[test]
fn labels_give_classes_from_the_same_folder_or_from_another_one() {
    let photos = photos();
    let path = photos.path();
    let cases: [(&str, &[&str]); 2] = [
        ("same", &["--data", "folder:sorted", "--labels", "50%"]),
        ("other", &["--data", "images:all", "--labelled", "folder:sorted"]),
    ];
    for (dir, data) in cases {
        let (code, stdout, stderr) = quickstart(path, &[data, &["--dir", dir]].concat());
        assert_eq!(code, 0, "{dir}: {stdout}\n{stderr}");
        let summary = summary(&path.join(dir));
        assert_eq!(summary["labelled"], "folder:sorted", "{summary:#}");
        assert!(summary["finetune"]["metrics"]["test_accuracy"].is_f64() && summary["from_scratch"].is_null());
        let out = format!("{dir}.jsonl");
        succeed(path, &["classify", "all/000.png", "--model", &format!("{dir}/store"), "--out", &out]);
        let line = std::fs::read_to_string(path.join(out)).unwrap();
        assert!(line.contains("even") || line.contains("odd"), "{line}");
    }
}

#[test]
fn what_cannot_be_started_says_why_before_anything_is_trained() {
    let photos = photos();
    let path = photos.path();
    std::fs::write(path.join("lacking.csv"), "file,label,split\nall/000.png,a,train\nall/001.png,b,test\n").unwrap();
    std::fs::write(path.join("alone.csv"), "file,label\nall/000.png,a\nall/001.png,a\n").unwrap();
    let cases: [(&[&str], &str); 7] = [
        (&["--data", "csv:alone.csv"], "all images are of the class \"a\""),
        (&["--data", "images:nowhere"], "nowhere"),
        (&["--data", "csv:lacking.csv"], "class \"b\" has no training image"),
        (&["--data", "photos"], "images:FOLDER"),
        (&["--data", "images:all", "--labelled", "images:all"], "no labels"),
        (&["--data", "images:all", "--labels", "50%"], "has none"),
        (&["--data", "images:all", "--set", "pretrain.stps=5"], "stps"),
    ];
    for (arguments, part) in cases {
        let (code, _, stderr) = quickstart(path, arguments);
        assert!(code == FAILED && stderr.contains(part), "{arguments:?}: {code} {stderr}");
        assert!(!path.join("selfie-own/runs/pretrain/weights.safetensors").exists(), "{arguments:?}");
    }
    let (code, _, stderr) = run(path, &["quickstart", "--labelled", "folder:sorted"]);
    assert!(code == MISUSED && stderr.contains("--data"), "{stderr}");
}
