//! Data sets that other people's code has written, read by the binary: `selfie data check`, then three steps of training.

mod support;

use serde_json::Value;
use std::path::Path;
use std::sync::OnceLock;
use support::{run, script, succeed};
use tempfile::TempDir;

const FAILED: i32 = 1;

/// The data sets of `make_data.py`, made once for all tests of this file; none where there is no Python to make them.
fn made() -> Option<&'static Path> {
    static FOLDER: OnceLock<Option<TempDir>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        script("make_data.py", [folder.path()])?;
        Some(folder)
    });
    folder.as_ref().map(TempDir::path)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Arguments of three steps of pretraining on a tiny network.
fn three_steps<'a>(stage: &'a str, data: &'a str, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let recipe = if stage == "pretrain" { "quickstart-pretrain" } else { "quickstart-finetune" };
    let mut arguments = vec![stage, "--recipe", recipe, "--data", data, "--out", out];
    for setting in ["steps=3", "warmup_steps=1", "batch_size=8", "network.width=4", "checkpoint_every=0"] {
        arguments.extend(["--set", setting]);
    }
    arguments.extend(more);
    arguments
}

fn check(folder: &Path, spec: &str) -> Value {
    serde_json::from_str(&succeed(folder, &["data", "check", spec, "--json"])).unwrap()
}

#[test]
fn the_same_images_are_the_same_in_every_format() {
    let Some(folder) = made() else { return };
    let runs = tempfile::tempdir().unwrap();
    let specs = [
        "cifar10:cifar10-python",
        "cifar10:cifar10-binary/cifar-10-batches-bin",
        "cifar100:cifar100-python",
        "cifar100:cifar100-binary",
        "imagenet32:imagenet32-pickle",
        "imagenet32:imagenet32-npz",
        "parquet:parquet",
        "parquet:parquet-names",
        "parquet:parquet-withheld",
        "webdataset:webdataset-cls",
        "webdataset:webdataset-json",
    ];
    let mut checksums = Vec::new();
    for spec in specs {
        let report = check(folder, spec);
        assert_eq!(report["train"]["per_class"], serde_json::json!([6, 6, 6, 6]), "{spec}");
        assert_eq!(report["test"]["per_class"], serde_json::json!([2, 2, 2, 2]), "{spec}");
        let sizes = serde_json::json!([{"height": 32, "width": 32, "channels": 3, "images": 32}]);
        assert_eq!(report["sizes"], sizes, "{spec}");
        let out = runs.path().join(spec.replace([':', '/'], "-"));
        succeed(folder, &three_steps("pretrain", spec, out.to_str().unwrap(), &[]));
        let record = json(&out.join("run.json"));
        checksums.push((record["data_sha256"].as_str().unwrap().to_owned(), spec));
        let named = !spec.contains("imagenet32") && !spec.contains("cls");
        assert_eq!(report["labels"][3], if named { "dog" } else { "3" }, "{spec}");
    }
    let other: Vec<_> = checksums.iter().filter(|(checksum, _)| *checksum != checksums[0].0).collect();
    assert!(other.is_empty(), "other pixels or labels than {:?}: {other:?}", checksums[0]);
}

#[test]
fn test_images_whose_labels_are_kept_back_are_left_out_with_a_word() {
    let Some(folder) = made() else { return };
    let report = check(folder, "parquet:parquet-withheld");
    let notice = report["notices"][0].as_str().unwrap();
    assert!(notice.contains("8 test images") && notice.contains("left out"), "{notice}");
    assert_eq!(check(folder, "parquet:parquet")["notices"], serde_json::json!([]));
}

#[test]
fn folders_and_csv_files_give_the_same_labels_and_a_classifier() {
    let Some(folder) = made() else { return };
    let runs = tempfile::tempdir().unwrap();
    for spec in ["folder:classes", "csv:labels.csv"] {
        let report = check(folder, spec);
        assert_eq!(report["labels"], serde_json::json!(["ant", "bee", "cat", "dog"]), "{spec}");
        assert_eq!(report["train"]["per_class"], serde_json::json!([6, 6, 6, 6]), "{spec}");
        let out = runs.path().join(spec.replace(':', "-"));
        succeed(folder, &three_steps("finetune", spec, out.to_str().unwrap(), &["--labels", "50%"]));
        let labels = json(&out.join("labels.json"));
        assert_eq!(labels["counts"], serde_json::json!({"ant": 3, "bee": 3, "cat": 3, "dog": 3}), "{spec}");
        let evaluate = |split: &str| run(folder, &["evaluate", out.to_str().unwrap(), "--split", split, "--json"]);
        for (split, images) in [("train", 24), ("test", 8)] {
            let (code, stdout, stderr) = evaluate(split);
            assert_eq!(code, 0, "{stderr}");
            assert_eq!(serde_json::from_str::<Value>(&stdout).unwrap()["images"], images, "{spec} {split}");
        }
        let (code, _, stderr) = evaluate("validation");
        assert!(code == FAILED && stderr.contains("has no validation images"), "{stderr}");
    }
}

#[test]
fn grey_and_transparent_images_keep_their_channels() {
    let Some(folder) = made() else { return };
    let runs = tempfile::tempdir().unwrap();
    for (name, channels) in [("grey", 1), ("opacity", 4)] {
        let spec = format!("images:{name}");
        assert_eq!(check(folder, &spec)["sizes"][0]["channels"], channels);
        for (out, set) in [(name.to_owned(), None), (format!("{name}-rgb"), Some("images.channels=3"))] {
            let out = runs.path().join(out);
            let more: Vec<&str> = set.into_iter().flat_map(|set| ["--set", set]).collect();
            succeed(folder, &three_steps("pretrain", &spec, out.to_str().unwrap(), &more));
            let expected = if set.is_some() { 3 } else { channels };
            assert_eq!(json(&out.join("card.json"))["input"]["channels"], expected, "{}", out.display());
        }
    }
}

#[test]
fn images_of_all_sizes_are_resized_and_streamed_to_the_same_weights() {
    let Some(folder) = made() else { return };
    let runs = tempfile::tempdir().unwrap();
    let report = check(folder, "images:mixed");
    let sizes: Vec<(u64, u64)> = (report["sizes"].as_array().unwrap().iter())
        .map(|size| (size["height"].as_u64().unwrap(), size["width"].as_u64().unwrap()))
        .collect();
    assert!(sizes.contains(&(72, 48)), "the photo that lies on its side is not turned: {sizes:?}");
    let (code, _, stderr) = run(folder, &three_steps("pretrain", "images:mixed", "refused", &[]));
    assert!(code == FAILED && stderr.contains("several sizes") && stderr.contains("images.size=32"), "{stderr}");
    let weights = ["4096", "0"].map(|memory| {
        let out = runs.path().join(memory);
        let memory = format!("images.memory_mb={memory}");
        let more = ["--set", "images.size=32", "--set", &memory];
        let (code, _, stderr) = run(folder, &three_steps("pretrain", "images:mixed", out.to_str().unwrap(), &more));
        assert_eq!(code, 0, "{stderr}");
        assert_eq!(stderr.contains("decoded anew for every batch"), memory.ends_with("=0"), "{stderr}");
        let card = json(&out.join("card.json"));
        assert_eq!(card["preprocessing"]["size"], serde_json::json!({"shortest_edge": 32}));
        assert_eq!(card["preprocessing"]["crop_size"], serde_json::json!({"height": 32, "width": 32}));
        std::fs::read(out.join("weights.safetensors")).unwrap()
    });
    assert!(weights[0] == weights[1], "streamed images lead to other weights");
}

#[test]
fn what_is_bad_is_named_with_a_way_out() {
    let Some(folder) = made() else { return };
    let runs = tempfile::tempdir().unwrap();
    let out = runs.path().join("refused");
    let out = out.to_str().unwrap();
    let cases: &[(&str, &str, &[&str])] = &[
        ("pretrain", "images:bad-damaged", &["damaged", ".png", "--skip-damaged"]),
        ("pretrain", "images:bad-one", &["1 training image and 0 test images"]),
        ("pretrain", "images:bad-equal", &["training images are equal"]),
        ("pretrain", "images:bad-flat", &["all training pixels have the value 77"]),
        (
            "pretrain",
            "parquet:bad-range",
            &["train.parquet: label 4 at position 4 is out of range, there are 4 classes"],
        ),
        ("pretrain", "parquet:bad-parquet", &["train.parquet", "cut off"]),
        ("pretrain", "parquet:bad-lz4", &["train.parquet", "compressed by LZ4", "snappy, gzip or zstd"]),
        ("pretrain", "imagenet32:bad-pickle", &["train_data_batch_1", "cut off"]),
        ("pretrain", "imagenet32:bad-zero", &["train_data_batch_1", "counts them from 1"]),
        ("pretrain", "cifar10:bad-one", &["lacks data_batch_1", "cifar.html"]),
        ("pretrain", "webdataset:bad-one", &["ends with .tar"]),
        ("pretrain", "folder:nowhere", &["nowhere: there is no such folder"]),
        ("finetune", "folder:bad-class", &["class \"bee\" has no training image"]),
        ("finetune", "images:grey", &["has no labels"]),
    ];
    let mut wrong = Vec::new();
    for (stage, spec, parts) in cases {
        let (code, _, stderr) = run(folder, &three_steps(stage, spec, out, &[]));
        let silent: Vec<_> = parts.iter().filter(|part| !stderr.contains(**part)).collect();
        if code != FAILED || !silent.is_empty() || stderr.contains("panicked") {
            wrong.push(format!("{stage} {spec}: exit code {code}, not said: {silent:?}\n{stderr}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!Path::new(out).exists());
}

#[test]
fn damaged_images_are_left_out_and_counted_when_asked() {
    let Some(folder) = made() else { return };
    let runs = tempfile::tempdir().unwrap();
    let out = runs.path().join("skipped");
    let out = out.to_str().unwrap();
    let more = ["--skip-damaged", "--set", "images.size=32"];
    let (code, _, stderr) = run(folder, &three_steps("pretrain", "images:bad-damaged", out, &more));
    assert_eq!(code, 0, "{stderr}");
    for part in ["cut.jpg", "empty.png", "page.png", "3 damaged images"] {
        assert!(stderr.contains(part), "{part} is not in {stderr}");
    }
    assert_eq!(json(&Path::new(out).join("run.json"))["skipped_images"], 3);
}

#[test]
fn the_check_finds_what_is_wrong_and_draws_a_sheet() {
    let Some(folder) = made() else { return };
    let runs = tempfile::tempdir().unwrap();
    let sheet = runs.path().join("sheet.png");
    let stdout = succeed(folder, &["data", "check", "folder:classes", "--sheet", sheet.to_str().unwrap()]);
    assert!(stdout.contains("contact sheet") && stdout.contains("damaged: 0"), "{stdout}");
    let sheet = image::open(&sheet).unwrap();
    assert_eq!((sheet.width(), sheet.height()), (12 * 52 + 4, 4 * 52 + 4));
    let cases: &[(&str, &[&str])] = &[
        ("images:bad-damaged", &["3 damaged images"]),
        ("folder:bad-class", &["class \"bee\" has no training image"]),
        ("folder:bad-labels", &["1 equal images with different labels"]),
        ("images:bad-equal", &["all training images are equal"]),
    ];
    for (spec, parts) in cases {
        let (code, stdout, stderr) = run(folder, &["data", "check", spec]);
        assert_eq!(code, FAILED, "{spec}: {stdout}{stderr}");
        for part in *parts {
            assert!(stderr.contains(part), "{spec}: {part} is not in {stderr}");
        }
    }
}

#[test]
fn the_list_names_every_reader() {
    let folder = tempfile::tempdir().unwrap();
    let stdout = succeed(folder.path(), &["data", "list"]);
    for spec in [
        "idx:FOLDER",
        "images:FOLDER",
        "folder:FOLDER",
        "csv:FILE",
        "cifar10:FOLDER",
        "cifar100:FOLDER",
        "imagenet32:FOLDER",
        "parquet:FOLDER|FILE",
        "webdataset:FOLDER|FILE",
    ] {
        assert!(stdout.lines().any(|line| line.starts_with(spec)), "{spec} is not in\n{stdout}");
    }
}
