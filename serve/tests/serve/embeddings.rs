use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::blocking::multipart::{Form, Part};
use serde_json::{Value, json};

/// What the network gives for an image, by a way that shares nothing with the server but the card: a resize to the same
/// size, done by the caller, leaves the numbers to a formula and tract.
fn expected(network: &Network, image: &image::DynamicImage) -> Vec<f32> {
    let (mean, std) = ([0.5, 0.4, 0.3], [0.2, 0.25, 0.3]);
    let image = image.to_rgb8();
    let mut input = Vec::new();
    for band in 0..3 {
        input.extend(image.pixels().map(|pixel| (f32::from(pixel[band]) / 255.0 - mean[band]) / std[band]));
    }
    network.eval(&input, 1).remove(0).2
}

#[test]
fn a_vector_is_what_the_network_says() {
    let network = Network::default();
    let store = store(&[("net", network.clone())]);
    let server = serve(config(store.path()));
    for seed in 0..3 {
        let image = picture(seed, 8, 8);
        let found = server.embed(&json!({"input": base64(&encode(&image, image::ImageFormat::Png))}));
        assert_close(&found[0], &expected(&network, &image), &format!("image {seed}"));
    }
}

#[test]
fn every_form_of_a_request_gives_the_same_vectors() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let (one, two) = (png(1), jpeg(2));
    let both = server.embed(&json!({"model": "net", "input": [base64(&one), base64(&two)]}));
    assert_ne!(both[0], both[1]);
    let cases = [
        ("one string", json!({"input": base64(&one)}), &both[..1]),
        ("a data URI", json!({"input": format!("data:image/png;base64,{}", base64(&one))}), &both[..1]),
        ("objects", json!({"input": [{"image": base64(&one)}, {"image": base64(&two)}]}), &both[..]),
        ("mixed", json!({"input": [base64(&one), {"image": base64(&two)}], "user": "x"}), &both[..]),
    ];
    for (name, body, expected) in cases {
        for (found, expected) in server.embed(&body).iter().zip(expected) {
            assert_close(found, expected, name);
        }
    }
    let message = |image: &[u8]| {
        let url = format!("data:image/png;base64,{}", base64(image));
        json!({"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]})
    };
    let chat = server.embed(&json!({"messages": [message(&one)]}));
    assert_close(&chat[0], &both[0], "messages");
    let chats = server.embed(&json!({"model": "net", "messages": [[message(&one)], [message(&two)]]}));
    chats.iter().zip(&both).for_each(|(found, expected)| assert_close(found, expected, "conversations"));
    assert_eq!(chats.len(), 2);
    let raw = server.post("/v1/embeddings?model=net").header("content-type", "image/png").body(one.clone());
    let raw = raw.send().unwrap().json().unwrap();
    assert_close(&vectors(&raw)[0], &both[0], "raw");
    let octets = server.post("/embeddings").header("content-type", "application/octet-stream").body(two.clone());
    assert_close(&vectors(&octets.send().unwrap().json().unwrap())[0], &both[1], "octets");
    let file = |bytes: Vec<u8>| Part::bytes(bytes).file_name("image").mime_str("image/png").unwrap();
    let form =
        Form::new().text("model", "net").part("image", file(one)).part("image", file(two)).text("dimensions", "2");
    let parts: Value = server.post("/v1/embeddings").multipart(form).send().unwrap().json().unwrap();
    assert_eq!(vectors(&parts).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2], "{parts}");
}

#[test]
fn the_answer_has_the_form_of_openai() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let response = server.json("/v1/embeddings", &json!({"input": base64(&png(1))}));
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let expected = ["receive", "parse", "wait", "decode", "queue", "infer", "encode", "total"];
    assert_eq!(stages(&response), expected);
    let answer: Value = response.json().unwrap();
    assert_eq!((&answer["object"], &answer["model"]), (&json!("list"), &json!("net")));
    assert_eq!(answer["data"][0]["object"], "embedding");
    assert_eq!(answer["usage"], json!({"prompt_tokens": 0, "total_tokens": 0}));
    assert_eq!(answer["id"], id);
    assert!(answer["created"].as_u64().unwrap() > 1_000_000_000);
}

#[test]
fn formats_and_dimensions_are_those_that_were_asked_for() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let image = base64(&png(4));
    let plain = server.embed(&json!({"input": image})).remove(0);
    let length = |vector: &[f32]| vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    assert!((length(&plain) - 1.0).abs() > 0.01, "the network's own vectors are not of length 1: {plain:?}");

    let normalized = server.embed(&json!({"input": image, "normalized": true})).remove(0);
    let scaled: Vec<f32> = plain.iter().map(|value| value / length(&plain)).collect();
    assert_close(&normalized, &scaled, "normalized");

    let short = server.embed(&json!({"input": image, "dimensions": 2})).remove(0);
    let scaled: Vec<f32> = plain[..2].iter().map(|value| value / length(&plain[..2])).collect();
    assert_close(&short, &scaled, "dimensions");

    let answer: Value =
        server.json("/v1/embeddings", &json!({"input": image, "encoding_format": "base64"})).json().unwrap();
    let bytes = STANDARD.decode(answer["data"][0]["embedding"].as_str().unwrap()).unwrap();
    let values: Vec<f32> = bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect();
    assert_eq!(values, plain);
}

#[test]
fn bits_are_those_of_the_signs() {
    let store = store(&[("net", Network { widths: vec![4, 11], ..Network::default() })]);
    let server = serve(config(store.path()));
    let image = base64(&png(4));
    let plain = server.embed(&json!({"input": image})).remove(0);
    let bytes = |kind: &str| {
        let answer: Value =
            server.json("/v1/embeddings", &json!({"input": image, "embedding_type": kind})).json().unwrap();
        answer["data"][0]["embedding"].as_array().unwrap().iter().map(|byte| byte.as_i64().unwrap()).collect::<Vec<_>>()
    };
    let unsigned = bytes("ubinary");
    assert_eq!(unsigned.len(), 2, "11 bits");
    for (index, value) in plain.iter().enumerate() {
        assert_eq!(unsigned[index / 8] >> (7 - index % 8) & 1, i64::from(*value > 0.0), "bit {index} of {plain:?}");
    }
    assert_eq!(bytes("binary"), unsigned.iter().map(|byte| byte - 128).collect::<Vec<_>>());
}

#[test]
fn both_names_of_the_form_are_read_where_they_agree() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let ask = |encoding_format: Value, embedding_type: Value| {
        let body = json!({
            "input": base64(&png(4)),
            "encoding_format": encoding_format,
            "embedding_type": embedding_type,
        });
        let response = server.json("/v1/embeddings", &body);
        (response.status().as_u16(), response.json::<Value>().unwrap())
    };
    for (encoding_format, embedding_type) in [("base64".into(), "base64".into()), (Value::Null, "base64".into())] {
        let (status, answer) = ask(encoding_format, embedding_type);
        assert!(status == 200 && answer["data"][0]["embedding"].is_string(), "{answer}");
    }
    let (status, answer) = ask("float".into(), Value::Null);
    assert!(status == 200 && answer["data"][0]["embedding"].is_array(), "{answer}");
    let (status, answer) = ask("float".into(), "base64".into());
    assert_eq!((status, &answer["error"]["param"]), (400, &json!("embedding_type")), "{answer}");
    assert!(answer["error"]["message"].as_str().unwrap().contains("different forms"), "{answer}");
}

#[test]
fn bare_numbers_come_where_the_client_accepts_them() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let body = json!({"input": [base64(&png(4)), base64(&png(5))]});
    let plain = server.embed(&body);
    let ask = |accept: &str| server.post("/v1/embeddings").header("accept", accept).json(&body).send().unwrap();
    for (dtype, size) in [("f32", 4 * 4), ("f16", 4 * 2), ("int8", 4 + 4)] {
        let response = ask(&format!("application/octet-stream; dtype={dtype}"));
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), format!("application/octet-stream; dtype={dtype}"));
        assert_eq!(header("x-vector-shape"), "2,4");
        let bytes = response.bytes().unwrap();
        assert_eq!(bytes.len(), 2 * size, "{dtype}");
        let float = |bytes: &[u8]| f32::from_le_bytes(bytes.try_into().unwrap());
        for (vector, bytes) in plain.iter().zip(bytes.chunks(size)) {
            let largest = vector.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
            let (found, step): (Vec<f32>, f32) = match dtype {
                "f32" => (bytes.chunks(4).map(float).collect(), super::network::TOLERANCE),
                "f16" => (
                    bytes.chunks(2).map(|part| half::f16::from_le_bytes(part.try_into().unwrap()).to_f32()).collect(),
                    largest / 1024.0,
                ),
                _ => (
                    bytes[4..].iter().map(|byte| f32::from(*byte as i8) * float(&bytes[..4])).collect(),
                    largest / 127.0,
                ),
            };
            for (found, value) in found.iter().zip(vector) {
                assert!((found - value).abs() <= step, "{dtype}: {found} is not {value}");
            }
        }
    }
    let bits = ask("application/octet-stream; dtype=ubinary").bytes().unwrap();
    let bit = |vector: &[f32], index: usize| u8::from(vector[index] > 0.0) << (7 - index);
    let expected: Vec<u8> = plain.iter().map(|vector| (0..4).map(|index| bit(vector, index)).sum()).collect();
    assert_eq!(bits, expected, "one byte for each vector of four numbers");
    for (found, expected) in vectors(&ask("*/*").json().unwrap()).iter().zip(&plain) {
        assert_close(found, expected, "*/*");
    }
    let response = ask("text/html");
    assert_eq!(response.status(), 406);
    assert!(response.json::<Value>().unwrap()["error"]["message"].as_str().unwrap().contains("text/html"));
}

#[test]
fn similarities_are_the_cosines_of_the_vectors() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let input = json!({"input": [base64(&png(1)), base64(&jpeg(2)), base64(&png(1))]});
    let vectors = server.embed(&input);
    let answer: Value = server.json("/v1/similarity", &input).json().unwrap();
    assert_eq!((&answer["object"], &answer["model"]), (&json!("similarity"), &json!("net")));
    let length = |vector: &[f32]| vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    for (row, a) in answer["data"].as_array().unwrap().iter().zip(&vectors) {
        let expected: Vec<f32> =
            vectors.iter().map(|b| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>() / length(a) / length(b)).collect();
        assert_close(&floats(row), &expected, "cosines");
    }
    assert_close(&floats(&answer["data"][0])[..1], &[1.0], "an image with itself");
    assert_eq!(server.json("/v1/similarity", &json!({"input": []})).status(), 400);
}

#[test]
fn a_model_that_takes_bytes_or_a_fixed_batch_is_served_as_well() {
    let bytes = Network { dtype: selfie_models::card::InputDtype::U8, ..Network::default() };
    let fixed = Network { fixed_batch: Some(4), ..Network::default() };
    let store = store(&[("bytes", bytes.clone()), ("fixed", fixed), ("free", Network::default())]);
    let server = serve(config(store.path()));
    let images: Vec<String> = (0..6).map(|seed| base64(&png(seed))).collect();
    let free = server.embed(&json!({"model": "free", "input": images}));
    let fixed = server.embed(&json!({"model": "fixed", "input": images}));
    for (fixed, free) in fixed.iter().zip(&free) {
        assert_close(fixed, free, "fixed");
    }
    let image = picture(3, 8, 8);
    let found = server.embed(&json!({"model": "bytes", "input": base64(&encode(&image, image::ImageFormat::Bmp))}));
    let rgb = image.to_rgb8();
    let input: Vec<f32> = (0..3).flat_map(|band| rgb.pixels().map(move |pixel| f32::from(pixel[band]))).collect();
    assert_close(&found[0], &bytes.eval(&input, 1)[0].2, "bytes");
}
