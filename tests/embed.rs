//! `selfie embed` and `selfie classify`, and galleries made by them, with the model that comes with the project.

mod support;

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use support::{KILLS, Serving, client, fashion, kill_when, run, script, selfie, succeed};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/pretrained/fashion-mnist");
const STORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/pretrained");

/// A folder `images` of class folders with `count` test images, in a folder of its own.
fn images(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (index, (png, label)) in fashion(count).into_iter().enumerate() {
        let class = folder.path().join(format!("images/class {label}"));
        std::fs::create_dir_all(&class).unwrap();
        std::fs::write(class.join(format!("{index:04}.png")), png).unwrap();
    }
    folder
}

/// The lines of a file, each an object.
fn lines(path: &Path) -> Vec<Value> {
    std::fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_form_holds_the_same_and_python_reads_it() {
    let folder = images(70);
    let path = folder.path();
    for out in ["vectors.npy", "vectors.jsonl"] {
        succeed(path, &["embed", "images", "--model", MODEL, "--out", out]);
    }
    succeed(path, &["embed", "images", "--model", MODEL, "--thumbnails", "--out", "vectors.parquet"]);
    succeed(path, &["classify", "images", "--model", MODEL, "--top-k", "3", "--out", "classes.parquet"]);
    succeed(path, &["classify", "images", "--model", MODEL, "--out", "classes.jsonl"]);
    let mut left: Vec<_> = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    let expected = [
        "classes.jsonl",
        "classes.parquet",
        "images",
        "vectors.ids.json",
        "vectors.jsonl",
        "vectors.npy",
        "vectors.parquet",
    ];
    assert_eq!(left, expected);
    for line in lines(&path.join("classes.jsonl")) {
        assert!(line["id"].as_str().unwrap().starts_with("images/class "), "{line}");
        assert_eq!((line["top"].as_array().unwrap().len(), &line["top"][0]["class"]), (5, &line["class"]), "{line}");
    }
    if let Some(said) = script("check_embed.py", [path]) {
        assert_eq!(said.trim(), "ok");
    }
}

#[test]
fn offline_and_served_embeddings_are_the_same_bit_for_bit() {
    let folder = images(12);
    let arguments = ["embed", "images", "--model", MODEL, "--max-batch-size", "1", "--out", "vectors.jsonl"];
    succeed(folder.path(), &arguments);
    let serving = Serving::start(folder.path(), &["--models", STORE]);
    let client = client();
    let rows = lines(&folder.path().join("vectors.jsonl"));
    assert_eq!(rows.len(), 12);
    for row in rows {
        let image = std::fs::read(folder.path().join(row["id"].as_str().unwrap())).unwrap();
        let request = client.post(format!("{}/v1/embeddings", serving.address)).header("content-type", "image/png");
        let answer: Value = request.body(image).send().unwrap().json().unwrap();
        assert_eq!(answer["data"][0]["embedding"], row["vector"], "{}", row["id"]);
    }
}

#[test]
fn shares_add_up_to_the_whole() {
    let folder = images(25);
    let embed = |out: &str, shard: &str| {
        let arguments = ["embed", "images", "--model", MODEL, "--max-batch-size", "1", "--out", out, "--shard", shard];
        succeed(folder.path(), &arguments);
        lines(&folder.path().join(out))
    };
    let whole = embed("whole.jsonl", "1/1");
    let shares: Vec<Vec<Value>> =
        (1..=3).map(|index| embed(&format!("{index}.jsonl"), &format!("{index}/3"))).collect();
    assert_eq!(shares.iter().map(Vec::len).collect::<Vec<_>>(), [8, 8, 9]);
    assert_eq!(shares.concat(), whole);
}

#[test]
fn a_killed_job_goes_on_to_the_same_bytes() {
    let folder = images(1000);
    let path = folder.path();
    fn arguments(out: &str) -> [&str; 7] {
        ["embed", "images", "--model", MODEL, "--thumbnails", "--out", out]
    }
    succeed(path, &arguments("whole.parquet"));

    let mut outs = (0..KILLS).map(|kill| format!("killed-{kill}.parquet"));
    let killed = outs.find(|out| {
        let child = selfie().current_dir(path).args(arguments(out)).stderr(Stdio::null()).spawn().unwrap();
        let parts = path.join(format!("{out}.parts"));
        kill_when(child, || std::fs::read_dir(&parts).map_or(0, Iterator::count) >= 2) && !path.join(out).exists()
    });
    let killed =
        killed.expect("the job ends before it can be killed, or leaves half an output in the place of a whole one");

    let stdout = succeed(path, &arguments(&killed));
    assert!(stdout.contains("1000 images, ") && stdout.contains("from an earlier run"), "{stdout}");
    let bytes = |name: &str| std::fs::read(path.join(name)).unwrap();
    assert!(bytes("whole.parquet") == bytes(&killed), "the resumed job wrote other bytes");
    assert!(!path.join(format!("{killed}.parts")).exists());
}

#[test]
fn images_in_a_table_or_an_archive_are_those_in_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let Some(told) = script("make_images.py", [path.join("images.parquet")]) else { return };
    let told: Vec<(String, String)> = serde_json::from_str(&told).unwrap();
    let mut archive = tar::Builder::new(std::fs::File::create(path.join("images.tar")).unwrap());
    for (index, (label, base64)) in told.iter().enumerate() {
        let png = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, base64).unwrap();
        let name = format!("{label}/{index}.png");
        std::fs::create_dir_all(path.join("images").join(label)).unwrap();
        std::fs::write(path.join("images").join(&name), &png).unwrap();
        let mut header = tar::Header::new_gnu();
        header.set_size(png.len() as u64);
        archive.append_data(&mut header, &name, png.as_slice()).unwrap();
    }
    archive.finish().unwrap();
    let embed = |input: &str| {
        let out = format!("{input}.jsonl");
        succeed(path, &["embed", input, "--model", MODEL, "--max-batch-size", "1", "--out", &out]);
        lines(&path.join(out))
    };
    let (table, archived, files) = (embed("images.parquet"), embed("images.tar"), embed("images"));
    let files: BTreeMap<&str, &Value> = files.iter().map(|line| (line["id"].as_str().unwrap(), line)).collect();
    for (index, ((label, _), (row, entry))) in told.iter().zip(table.iter().zip(&archived)).enumerate() {
        let file = files[format!("images/{label}/{index}.png").as_str()];
        assert_eq!(row["id"], format!("images.parquet:{index}"));
        assert_eq!(entry["id"], format!("images.tar:{label}/{index}.png"));
        for other in [row, entry] {
            assert_eq!((&other["label"], &other["vector"]), (&json!(label), &file["vector"]), "{index}");
        }
    }
    assert_eq!((table.len(), archived.len(), files.len()), (50, 50, 50));
}

#[test]
fn a_damaged_image_is_named_and_left_out_only_when_that_was_asked_for() {
    let folder = images(5);
    let path = folder.path();
    std::fs::write(path.join("images/broken.png"), b"\x89PNG\r\n\x1a\nno more").unwrap();
    std::os::unix::fs::symlink("nowhere", path.join("images/link.png")).unwrap();
    let arguments = ["embed", "images", "--model", MODEL, "--out", "vectors.jsonl"];
    let (code, _, stderr) = run(path, &arguments);
    assert!(code == 1 && stderr.contains("images/broken.png") && stderr.contains("--skip-damaged"), "{stderr}");
    assert!(!path.join("vectors.jsonl").exists());
    let arguments = [&arguments[..], &["--skip-damaged"]].concat();
    let (code, stdout, stderr) = run(path, &arguments);
    assert!(code == 0 && stdout.contains("5 images, 2 left out"), "{stdout}{stderr}");
    assert!(stderr.contains("left out: images/broken.png"), "{stderr}");
    assert!(stderr.contains("left out: images/link.png is missing"), "{stderr}");
    assert_eq!(lines(&path.join("vectors.jsonl")).len(), 5);

    let (code, _, stderr) = run(path, &arguments);
    assert!(code == 1 && stderr.contains("exists already"), "{stderr}");
}
