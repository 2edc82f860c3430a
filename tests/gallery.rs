//! `selfie serve --gallery` with what `selfie embed` wrote.

mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use support::{Serving, client, fashion, run, script, succeed};

const STORE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/pretrained");

/// A folder `images` of class folders with test images, and galleries of their vectors.
fn galleries(count: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for (index, (png, label)) in fashion(count).into_iter().enumerate() {
        let class = path.join(format!("images/{label}"));
        std::fs::create_dir_all(&class).unwrap();
        std::fs::write(class.join(format!("{index:04}.png")), png).unwrap();
    }
    succeed(path, &["embed", "images", "--model", STORE, "--thumbnails", "--out", "fashion.parquet"]);
    succeed(path, &["embed", "images", "--model", STORE, "--out", "plain.npy"]);
    folder
}

fn ask(serving: &Serving, body: &Value) -> (u16, Value) {
    let answer = client().post(format!("{}/v1/search", serving.address)).json(body).send().unwrap();
    (answer.status().as_u16(), answer.json().unwrap())
}

#[test]
fn an_image_finds_itself_and_its_neighbours() {
    let folder = galleries(300);
    let path = folder.path();
    let serving = Serving::start(path, &["--models", STORE, "--gallery", "fashion.parquet", "--gallery", "plain.npy"]);
    // The first by name: a folder gives its files in any order.
    let image = path.join("images/9").read_dir().unwrap().map(|file| file.unwrap().path()).min().unwrap();
    let id = image.strip_prefix(path).unwrap().to_str().unwrap();
    let base64 = STANDARD.encode(std::fs::read(&image).unwrap());

    let body = json!({"gallery": "fashion", "input": base64, "k": 3, "thumbnails": true});
    let (status, answer) = ask(&serving, &body);
    assert_eq!(status, 200, "{answer}");
    let found = answer["data"][0]["neighbours"].as_array().unwrap();
    assert_eq!((found.len(), &found[0]["id"], &found[0]["label"]), (3, &json!(id), &json!("9")), "{answer}");
    assert!(found[0]["score"].as_f64().unwrap() > 0.9999, "{answer}");
    for neighbour in found {
        let jpeg = STANDARD.decode(neighbour["thumbnail"].as_str().unwrap()).unwrap();
        assert_eq!(image::guess_format(&jpeg).unwrap(), image::ImageFormat::Jpeg);
    }

    let (_, others) = ask(&serving, &json!({"gallery": "plain", "input": base64, "label": ["1", "2"], "k": 1000}));
    let labels = others["data"][0]["neighbours"].as_array().unwrap().iter().map(|hit| hit["label"].as_str().unwrap());
    let labels: std::collections::BTreeSet<&str> = labels.collect();
    assert_eq!(labels, ["1", "2"].into());

    let client = client();
    let raw = client.post(format!("{}/v1/search?gallery=fashion&label=9&k=1", serving.address));
    let raw = raw.header("content-type", "image/png").body(std::fs::read(&image).unwrap()).send().unwrap();
    let raw: Value = raw.json().unwrap();
    assert_eq!(raw["data"][0]["neighbours"][0]["id"], id, "{raw}");

    let listed: Value = client.get(format!("{}/v1/galleries", serving.address)).send().unwrap().json().unwrap();
    let fashion = &listed["data"][0];
    assert_eq!((&fashion["id"], &fashion["vectors"], &fashion["width"]), (&json!("fashion"), &json!(300), &json!(512)));
    assert_eq!((&fashion["thumbnails"], &listed["data"][1]["thumbnails"]), (&json!(true), &json!(false)), "{listed}");
    assert_eq!(fashion["model"]["name"], "fashion-mnist");
    let metrics = client.get(format!("{}/metrics", serving.address)).send().unwrap().text().unwrap();
    for line in
        ["selfie_gallery_vectors{gallery=\"fashion\"} 300", "selfie_search_queries_total{gallery=\"fashion\"} 2"]
    {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }

    let short = json!([1.0, 2.0]);
    let vector = json!(vec![1.0; 512]);
    let cases = [
        ("no gallery named", json!({"vector": vector}), 400, "fashion, plain"),
        ("another gallery", json!({"gallery": "x", "vector": vector}), 404, "fashion, plain"),
        ("nothing to search for", json!({"gallery": "plain"}), 400, "vector"),
        ("both", json!({"gallery": "plain", "input": base64, "vector": vector}), 400, "send one"),
        ("too short", json!({"gallery": "plain", "vector": short}), 400, "512"),
        ("beyond 32 bits", json!({"gallery": "plain", "vector": vec![1e300; 512]}), 400, "32 bits"),
        ("k of 0", json!({"gallery": "plain", "vector": vector, "k": 0}), 400, "1 to 1000"),
        ("another label", json!({"gallery": "plain", "vector": vector, "label": "x"}), 400, "\"x\""),
        ("no thumbnails", json!({"gallery": "plain", "vector": vector, "thumbnails": true}), 400, "--thumbnails"),
        ("another model", json!({"gallery": "plain", "input": base64, "model": "x"}), 400, "fashion-mnist"),
        ("no image", json!({"gallery": "plain", "input": "aGk="}), 400, "image 0"),
    ];
    for (what, body, expected, part) in cases {
        let (status, answer) = ask(&serving, &body);
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(status == expected && message.contains(part), "{what}: {status} {answer}");
    }
}

#[test]
fn numpy_finds_the_same_in_the_same_order_and_draws_the_same_map() {
    let folder = galleries(1000);
    let path = folder.path();
    if script("make_gallery.py", [path]).is_none() {
        return;
    }
    let files =
        ["fashion.parquet", "plain.npy", "random.npy", "random-table.parquet", "random-list.parquet", "long.npy"];
    let flags: Vec<&str> = files.iter().flat_map(|file| ["--gallery", file]).collect();
    let serving = Serving::start(path, &[&["--models", STORE], &flags[..]].concat());
    let files = files.map(|file| path.join(file).to_str().unwrap().to_owned());
    let mut arguments = vec![serving.address.as_str()];
    let [fashion, plain, .., long] = &files;
    arguments.extend(files.iter().filter(|file| *file != long).map(String::as_str));
    script("check_search.py", arguments);
    script("check_map.py", [&serving.address, fashion, plain, long]);
}

#[test]
fn a_gallery_that_cannot_be_served_is_refused_at_the_start() {
    let folder = galleries(3);
    let path = folder.path();
    let ids = std::fs::read_to_string(path.join("plain.ids.json")).unwrap();
    let npy = std::fs::read(path.join("plain.npy")).unwrap();
    let with = |name: &str, ids: &str, npy: &[u8]| {
        std::fs::write(path.join(format!("{name}.ids.json")), ids).unwrap();
        std::fs::write(path.join(format!("{name}.npy")), npy).unwrap();
    };
    let sha256 = serde_json::from_str::<Value>(&ids).unwrap()["model"]["sha256"].as_str().unwrap().to_owned();
    with("other", &ids.replace(&sha256, &"0".repeat(64)), &npy);
    with("short", &ids, &npy[..npy.len() - 4]);
    with("few", "{\"ids\": [\"a\"]}", &npy);
    with("nan", &ids, &[&npy[..npy.len() - 4], &f32::NAN.to_le_bytes()].concat());
    with("broken", "{", &npy);
    std::fs::write(path.join("text.parquet"), "text").unwrap();
    std::fs::create_dir(path.join("again")).unwrap();
    for name in ["plain.npy", "plain.ids.json"] {
        std::fs::copy(path.join(name), path.join("again").join(name)).unwrap();
    }
    let cases: &[(&[&str], &str)] = &[
        (&["other.npy"], "fashion-mnist version 1 (SHA-256 000000000000...), here are fashion-mnist version 1"),
        (&["short.npy"], "its header says 3 x 512"),
        (&["few.npy"], "3 vectors with 1 ids"),
        (&["nan.npy"], "not finite"),
        (&["broken.npy"], "broken.ids.json"),
        (&["text.parquet"], "no complete Parquet file"),
        (&["images"], ".parquet or .npy"),
        (&["missing.npy"], "missing.npy"),
        (&["plain.npy", "again/plain.npy"], "rename"),
    ];
    for (files, part) in cases {
        let flags: Vec<&str> = files.iter().flat_map(|file| ["--gallery", file]).collect();
        let arguments = [&["serve", "--port", "0", "--models", STORE], &flags[..]].concat();
        let (code, _, stderr) = run(path, &arguments);
        assert!(code == 1 && stderr.contains(part), "{files:?}: {stderr}");
    }
}
