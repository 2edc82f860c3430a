use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use flate2::Compression;
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};
use reqwest::blocking::multipart::{Form, Part};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn bodies_are_compressed_both_ways() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let body = json!({"input": vec![base64(&png(1)); 40]});
    let plain: Value = server.json("/v1/embeddings", &body).json().unwrap();
    let body = body.to_string().into_bytes();
    for (encoding, compressed) in [("gzip", gzip(&body)), ("deflate", deflate(&body))] {
        let request = server.post("/v1/embeddings").header("content-type", "application/json");
        let request = request.header("content-encoding", encoding).header("accept-encoding", encoding);
        let response = request.body(compressed).send().unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-encoding"], encoding);
        let bytes = response.bytes().unwrap();
        let mut text = String::new();
        match encoding {
            "gzip" => GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap(),
            _ => ZlibDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap(),
        };
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["data"], plain["data"], "{encoding}");
    }
}

#[test]
fn a_client_that_takes_no_encoding_is_told_so_in_the_words_of_the_api() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    for (path, reason) in [("/v1/models", "/error/message"), ("/v2", "/error")] {
        let response = server.get(path).header("accept-encoding", "br, identity;q=0").send().unwrap();
        assert_eq!(response.status(), 406);
        let answer: Value = response.json().unwrap();
        let reason = answer.pointer(reason).and_then(Value::as_str).unwrap_or_default();
        assert!(reason.contains("identity; q=0") && reason.contains("gzip or deflate"), "{answer}");
    }
}

#[test]
fn short_answers_and_bare_numbers_are_not_compressed() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let image = base64(&png(1));
    let large = json!({"input": vec![&image; 100]});
    for (body, accept, encoding) in [
        (json!({"input": image}), "application/json", None),
        (large.clone(), "application/json", Some("gzip")),
        (large, "application/octet-stream", None),
    ] {
        let request = server.post("/v1/embeddings").header("accept-encoding", "gzip").header("accept", accept);
        let response = request.json(&body).send().unwrap();
        assert_eq!(response.status(), 200);
        let found = response.headers().get("content-encoding").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(found.as_deref(), encoding, "{accept}, {} bytes", response.bytes().unwrap().len());
    }
}

#[test]
fn an_answer_in_parts_does_not_wait_for_the_client_s_system() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let mut took: Vec<Duration> = (0..20)
        .map(|_| {
            let start = Instant::now();
            let response = server.get("/openapi.json").header("accept-encoding", "gzip").send().unwrap();
            assert_eq!(response.headers()["content-encoding"], "gzip");
            response.bytes().unwrap();
            start.elapsed()
        })
        .collect();
    took.sort_unstable();
    // Linux confirms what it gets after 40 ms, where nothing goes the other way.
    assert!(took[10] < Duration::from_millis(20), "{took:?}");
}

#[test]
fn a_compressed_form_is_read() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let mut form = b"--x\r\ncontent-disposition: form-data; name=\"images\"; filename=\"a.png\"\r\n\r\n".to_vec();
    form.extend(png(1));
    form.extend(b"\r\n--x--\r\n");
    let request = server.post("/v1/embeddings").header("content-type", "multipart/form-data; boundary=x");
    let response = request.header("content-encoding", "gzip").body(gzip(&form)).send().unwrap();
    let answer: Value = response.json().unwrap();
    assert_eq!(vectors(&answer), server.embed(&json!({"input": base64(&png(1))})), "{answer}");
}

#[test]
fn a_large_form_is_read_whole() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let noise =
        image::RgbImage::from_fn(300, 300, |x, y| image::Rgb([(x * y) as u8, (x * x) as u8, (y * 7 + x) as u8]));
    let large = encode(&noise.into(), image::ImageFormat::Bmp);
    assert!(large.len() > 4 * 65_536);
    let file = |bytes: Vec<u8>| Part::bytes(bytes).file_name("a.bmp");
    let form = (0..4).fold(Form::new(), |form, _| form.part("images", file(large.clone())));
    let answer: Value = server.post("/v1/embeddings").multipart(form).send().unwrap().json().unwrap();
    assert_eq!(vectors(&answer).len(), 4, "{answer}");
}
