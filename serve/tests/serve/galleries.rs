//! Galleries over HTTP: pictures of vectors, and a map of them.

use super::client::*;
use super::network::{Network, TOLERANCE, store};
use super::pictures::*;
use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use selfie_serve::Config;
use selfie_serve::model::{OpenOptions, open};
use selfie_serve::offline::{Job, Names, Shard, Task, run};
use selfie_serve::runtime::Options;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Images of the gallery.
const IMAGES: u32 = 12;

/// Embeds a folder of images with the one model of a store.
fn embed(store: &Path, images: &Path, out: PathBuf, thumbnails: bool) -> PathBuf {
    let runtime = Options { runtime: "tract".into(), threads: 1, ..Options::default() };
    let model = open(store, &OpenOptions { runtime, ..OpenOptions::default() }).unwrap();
    let job = Job {
        inputs: vec![images.to_owned()],
        out: out.clone(),
        task: Task::Embed,
        shard: Shard::default(),
        names: Names { image: "image".into(), label: "label".into() },
        batch_size: 4,
        skip_damaged: false,
        thumbnails,
    };
    run(&model, &job, &mut |_| ()).unwrap();
    out
}

/// A server with the galleries `pictured` and `plain` of images in two classes, and the folders of its files.
pub fn served(network: Network) -> ([tempfile::TempDir; 2], Running) {
    let store = store(&[("net", network)]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for index in 0..IMAGES {
        let class = path.join("images").join(["even", "odd"][index as usize % 2]);
        std::fs::create_dir_all(&class).unwrap();
        std::fs::write(class.join(format!("{index:02}.png")), png(index * 5)).unwrap();
    }
    let gallery = [("pictured.parquet", true), ("plain.npy", false)]
        .map(|(name, thumbnails)| embed(store.path(), &path.join("images"), path.join(name), thumbnails));
    let server = serve(Config { gallery: gallery.into(), ..config(store.path()) });
    ([store, folder], server)
}

fn get(server: &Running, path: &str) -> Value {
    let response = server.get(path).send().unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.json().unwrap()
}

#[test]
fn a_thumbnail_is_a_picture_that_clients_keep() {
    let (_folders, server) = served(Network::default());
    let path = "/v1/galleries/pictured/thumbnails/3";
    let response = server.get(path).send().unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()[CONTENT_TYPE], "image/jpeg");
    assert_eq!(response.headers()[CACHE_CONTROL], "private, max-age=3600");
    let tag = response.headers()[ETAG].clone();
    let jpeg = image::load_from_memory(&response.bytes().unwrap()).unwrap();
    assert_eq!((jpeg.width(), jpeg.height()), (20, 15));

    let kept = server.get(path).header(IF_NONE_MATCH, &tag).send().unwrap();
    assert_eq!((kept.status().as_u16(), &kept.headers()[ETAG]), (304, &tag));
    assert!(kept.bytes().unwrap().is_empty());
    let other = server.get("/v1/galleries/pictured/thumbnails/4").header(IF_NONE_MATCH, &tag).send().unwrap();
    assert_eq!(other.status(), 200);

    for (path, code, part) in [
        ("/v1/galleries/pictured/thumbnails/12", "thumbnail_not_found", "0 to 11"),
        ("/v1/galleries/pictured/thumbnails/99999999999999999999999", "thumbnail_not_found", "0 to 11"),
        ("/v1/galleries/pictured/thumbnails/-1", "thumbnail_not_found", "0 to 11"),
        ("/v1/galleries/pictured/thumbnails/x", "thumbnail_not_found", "0 to 11"),
        ("/v1/galleries/plain/thumbnails/0", "thumbnail_not_found", "selfie embed --thumbnails"),
        ("/v1/galleries/other/thumbnails/0", "gallery_not_found", "pictured, plain"),
    ] {
        let response = server.get(path).send().unwrap();
        assert_eq!(response.status(), 404, "{path}");
        let error = &response.json::<Value>().unwrap()["error"];
        let message = error["message"].as_str().unwrap();
        assert!(error["code"] == code && message.contains(part), "{path}: {error}");
    }
}

#[test]
fn a_search_says_where_its_time_went() {
    let (_folders, server) = served(Network::default());
    let by_image = server.json("/v1/search", &json!({"gallery": "pictured", "input": base64(&png(15))}));
    let expected = ["receive", "parse", "wait", "decode", "queue", "infer", "search", "encode", "total"];
    assert_eq!(stages(&by_image), expected);
    let by_vector = server.json("/v1/search", &json!({"gallery": "pictured", "vector": [1.0, 0.5, 0.25, 0.125]}));
    assert_eq!(stages(&by_vector), ["receive", "parse", "search", "encode", "total"]);
    let line = "selfie_stage_duration_seconds_count{model=\"net\",stage=\"search\",version=\"1\"}";
    assert_eq!(server.metric(line), 1.0, "a vector asks no model");
}

#[test]
fn very_many_thumbnails_are_not_given_at_once() {
    let (_folders, server) = served(Network::default());
    let ask = |queries: usize, k: usize| {
        let vectors = vec![[1.0, 0.5, 0.25, 0.125]; queries];
        server.json("/v1/search", &json!({"gallery": "pictured", "vector": vectors, "thumbnails": true, "k": k}))
    };
    assert_eq!(ask(80, 1000).status(), 200, "12 neighbours are all that there are");
    let response = ask(90, 1000);
    assert_eq!(response.status(), 400);
    assert!(response.text().unwrap().contains("1080 neighbours with thumbnails"));
}

#[test]
fn every_vector_and_every_image_has_a_place_on_the_map() {
    let (_folders, server) = served(Network::default());
    let map = get(&server, "/v1/galleries/pictured/map");
    assert_eq!((&map["vectors"], &map["sample"]), (&json!(IMAGES), &json!(IMAGES)), "{map}");
    assert_eq!(map["rows"], json!((0..IMAGES).collect::<Vec<_>>()));
    for (place, id, label) in [(0, "even/00.png", "even"), (11, "odd/11.png", "odd")] {
        assert!(map["ids"][place].as_str().unwrap().ends_with(id) && map["labels"][place] == label, "{map}");
    }
    let shares = floats(&map["variance"]);
    assert!(shares[0] >= shares[1] && shares[1] > 0.0 && shares[0] + shares[1] <= 1.0 + TOLERANCE, "{shares:?}");
    let points: Vec<Vec<f32>> = map["points"].as_array().unwrap().iter().map(floats).collect();
    for axis in 0..2 {
        let mean = points.iter().map(|point| point[axis]).sum::<f32>() / points.len() as f32;
        assert!(mean.abs() <= TOLERANCE, "the middle of axis {axis} is {mean}");
    }
    assert_eq!(get(&server, "/v1/galleries/plain/map")["points"], map["points"], "the same vectors in another form");

    // Row 7 is image 3 of the odd ones.
    let body = json!({"gallery": "pictured", "input": base64(&png(15)), "map": true, "k": 1});
    let answer: Value = server.json("/v1/search", &body).json().unwrap();
    let found = &answer["data"][0];
    assert_eq!((&found["neighbours"][0]["row"], &found["neighbours"][0]["id"]), (&json!(7), &map["ids"][7]));
    assert_close(&floats(&found["map"]), &points[7], "the place of an image of the gallery");
    let body = json!({"gallery": "pictured", "input": base64(&png(15))});
    let answer: Value = server.json("/v1/search", &body).json().unwrap();
    assert_eq!(answer["data"][0].get("map"), None);
}

#[test]
fn a_map_comes_as_bare_numbers_as_well() {
    let (_folders, server) = served(Network::default());
    let path = "/v1/galleries/pictured/map";
    let expected: Vec<f32> = get(&server, path)["points"].as_array().unwrap().iter().flat_map(floats).collect();
    let bare = server.get(path).header(ACCEPT, "application/octet-stream; dtype=f32").send().unwrap();
    assert_eq!(bare.headers()["x-vector-shape"], "12,2");
    let bytes = bare.bytes().unwrap();
    let found: Vec<f32> = bytes.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    assert_eq!(found, expected);
    for (path, accept, status) in [(path, "text/html", 406), ("/v1/galleries/other/map", "*/*", 404)] {
        assert_eq!(server.get(path).header(ACCEPT, accept).send().unwrap().status(), status, "{path}, {accept}");
    }
    assert_eq!(server.post(path).send().unwrap().status(), 405);
}
