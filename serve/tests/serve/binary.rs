use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use reqwest::blocking::Response;
use selfie_models::card::InputDtype;
use serde_json::{Value, json};

const LENGTH: &str = "inference-header-content-length";

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn values(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

fn ramp(count: usize) -> Vec<f32> {
    (0..count).map(|index| (index % 13) as f32 / 6.0 - 1.0).collect()
}

/// BYTES elements: each after its length.
fn elements(parts: &[Vec<u8>]) -> Vec<u8> {
    parts.iter().flat_map(|part| [&(part.len() as u32).to_le_bytes()[..], part.as_slice()].concat()).collect()
}

fn send(server: &Running, json: &Value, tensors: &[u8]) -> Response {
    let json = json.to_string().into_bytes();
    let request = server.post("/v2/models/net/infer").header(LENGTH, json.len());
    request.header("content-type", "application/octet-stream").body([json.as_slice(), tensors].concat()).send().unwrap()
}

/// The JSON of a raw response and the bytes behind it.
fn split(response: Response) -> (Value, Vec<u8>) {
    let status = response.status();
    let length = response.headers().get(LENGTH).map(|length| length.to_str().unwrap().parse::<usize>().unwrap());
    let body = response.bytes().unwrap().to_vec();
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
    let length = length.unwrap();
    (serde_json::from_slice(&body[..length]).unwrap(), body[length..].to_vec())
}

#[test]
fn raw_tensors_go_in_and_come_out() {
    let network = Network::default();
    let store = store(&[("net", network.clone())]);
    let server = serve(config(store.path()));
    let data = ramp(2 * 192);
    let expected = network.eval(&data, 2);
    let input = json!({"name": "pixel_values", "shape": [2, 3, 8, 8], "datatype": "FP32",
        "parameters": {"binary_data_size": 4 * data.len()}});

    let whole = json!({"id": "7", "inputs": [input], "parameters": {"binary_data_output": true}});
    let (answer, raw) = split(send(&server, &whole, &bytes(&data)));
    assert_eq!((&answer["id"], &answer["model_name"]), (&json!("7"), &json!("net")));
    let mut offset = 0;
    for (output, (name, shape, numbers)) in answer["outputs"].as_array().unwrap().iter().zip(&expected) {
        assert_eq!((&output["name"], &output["shape"]), (&json!(name), &json!(shape)));
        assert!(output.get("data").is_none());
        let size = output["parameters"]["binary_data_size"].as_u64().unwrap() as usize;
        assert_close(&values(&raw[offset..offset + size]), numbers, name);
        offset += size;
    }
    assert_eq!(offset, raw.len());

    // One output raw, the other in JSON: what an output says wins over the default.
    let outputs = json!([{"name": "logits", "parameters": {"binary_data": false}}, {"name": "embedding"}]);
    let mixed = json!({"inputs": [input], "outputs": outputs, "parameters": {"binary_data_output": true}});
    let (answer, raw) = split(send(&server, &mixed, &bytes(&data)));
    assert_close(&floats(&answer["outputs"][0]["data"]), &expected[1].2, "logits");
    assert_close(&values(&raw), &expected[0].2, "embedding");

    // Without any raw output the response is plain JSON.
    let response = send(&server, &json!({"inputs": [input]}), &bytes(&data));
    assert!(response.headers().get(LENGTH).is_none());
    let answer: Value = response.json().unwrap();
    assert_close(&floats(&answer["outputs"][0]["data"]), &expected[0].2, "embedding");
}

#[test]
fn raw_bytes_are_images_or_items_of_a_model_that_takes_bytes() {
    let network = Network { dtype: InputDtype::U8, ..Network::default() };
    let store = store(&[("net", network.clone())]);
    let server = serve(config(store.path()));
    let data: Vec<u8> = (0..192).collect();
    let input = json!({"name": "pixel_values", "shape": [1, 3, 8, 8], "datatype": "UINT8",
        "parameters": {"binary_data_size": 192}});
    let answer: Value = send(&server, &json!({"inputs": [input]}), &data).json().unwrap();
    let as_floats: Vec<f32> = data.iter().map(|value| f32::from(*value)).collect();
    assert_close(&floats(&answer["outputs"][0]["data"]), &network.eval(&as_floats, 1)[0].2, "UINT8");

    let images = [png(1), jpeg(2)];
    let raw = elements(&images);
    let vectors = server.embed(&json!({"input": [base64(&images[0]), base64(&images[1])]})).concat();
    for shape in [json!([2]), json!([2, 1])] {
        let input = json!({"name": "pixel_values", "shape": shape, "datatype": "BYTES",
            "parameters": {"binary_data_size": raw.len()}});
        let answer: Value = send(&server, &json!({"inputs": [input]}), &raw).json().unwrap();
        assert_close(&floats(&answer["outputs"][0]["data"]), &vectors, "BYTES");
    }
}

#[test]
fn a_body_without_json_is_one_tensor_or_one_image() {
    let network = Network::default();
    let store = store(&[("net", network.clone())]);
    let server = serve(config(store.path()));
    let data = ramp(192);
    let raw = |kind: &str, body: Vec<u8>| {
        server.post("/v2/models/net/infer").header(LENGTH, 0).header("content-type", kind).body(body).send().unwrap()
    };
    let (answer, tensors) = split(raw("application/octet-stream", bytes(&data)));
    assert_eq!(answer["outputs"][0]["shape"], json!([1, 4]));
    let expected: Vec<f32> = network.eval(&data, 1).into_iter().flat_map(|output| output.2).collect();
    assert_close(&values(&tensors), &expected, "tensor");
    let vector = server.embed(&json!({"input": base64(&png(3))})).concat();
    for kind in ["application/octet-stream", "image/png"] {
        let (_, tensors) = split(raw(kind, png(3)));
        assert_close(&values(&tensors[..16]), &vector, kind);
    }
    for (kind, body, status, expected) in [
        ("application/octet-stream", vec![0; 100], 400, "takes 768 bytes of FP32"),
        ("image/png", vec![0; 768], 400, "not an image"),
        ("text/plain", png(1), 415, "text/plain"),
    ] {
        let response = raw(kind, body);
        let found = response.status();
        let answer: Value = response.json().unwrap();
        let message = answer["error"].as_str().unwrap_or_default();
        assert!(found == status && message.contains(expected), "{kind}: {found} {answer}");
    }
}

#[test]
fn raw_bytes_that_do_not_fit_are_refused_with_the_reason() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let tensor = |shape: Value, datatype: &str, size: Value| {
        json!({"inputs": [{"name": "pixel_values", "shape": shape, "datatype": datatype,
            "parameters": {"binary_data_size": size}}]})
    };
    let data = bytes(&ramp(192));
    let shape = json!([1, 3, 8, 8]);
    let mut both = tensor(shape.clone(), "FP32", json!(768));
    both["inputs"][0]["data"] = json!(ramp(192));
    let mut neither = both.clone();
    neither["inputs"][0] = json!({"name": "pixel_values", "shape": shape, "datatype": "FP32"});
    let mut unannounced = both.clone();
    unannounced["inputs"][0]["parameters"] = json!({});
    let image = elements(&[png(1)]);
    let long = [&u32::MAX.to_le_bytes()[..], &[0; 8]].concat();
    let cases = [
        ("too small", tensor(shape.clone(), "FP32", json!(767)), data.clone(), "768 bytes follow"),
        ("too large", tensor(shape.clone(), "FP32", json!(769)), data.clone(), "768 bytes follow"),
        ("negative", tensor(shape.clone(), "FP32", json!(-1)), data.clone(), "invalid value"),
        ("another batch", tensor(json!([2, 3, 8, 8]), "FP32", json!(768)), data.clone(), "wants 2 x 768"),
        ("overflow", tensor(json!([i64::MAX, 3, 8, 8]), "FP32", json!(768)), data.clone(), "wants"),
        ("another type", tensor(shape.clone(), "FP16", json!(768)), data.clone(), "takes FP32"),
        ("no number", tensor(shape.clone(), "FP32", json!(768)), bytes(&[f32::NAN; 192]), "holds NaN"),
        ("both", both, data.clone(), "both data and"),
        ("neither", neither, vec![], "neither data nor"),
        ("unannounced", unannounced, data.clone(), "no tensor has a binary_data_size"),
        ("element too long", tensor(json!([1]), "BYTES", json!(12)), long, "element 0 has 4294967295 bytes"),
        ("rest", tensor(json!([1]), "BYTES", json!(3)), vec![1, 2, 3], "3 bytes are left after element 0"),
        ("count", tensor(json!([2]), "BYTES", json!(image.len())), image, "holds 1 elements"),
        ("no image", tensor(json!([1]), "BYTES", json!(6)), elements(&[b"hi".to_vec()]), "not an image"),
    ];
    for (name, body, tensors, expected) in cases {
        let response = send(&server, &body, &tensors);
        let status = response.status();
        let answer: Value = response.json().unwrap();
        let message = answer["error"].as_str().unwrap_or_default();
        assert!(status == 400 && message.contains(expected), "{name}: {status} {answer}");
    }
    let many = elements(&vec![vec![]; 500]);
    let response = send(&server, &tensor(json!([500]), "BYTES", json!(many.len())), &many);
    assert_eq!(response.status(), 413);
    assert!(response.text().unwrap().contains("500 items"));
    for length in ["-1", "x", "99999", "18446744073709551616"] {
        let request = server.post("/v2/models/net/infer").header(LENGTH, length).body(data.clone());
        assert_eq!(request.send().unwrap().status(), 400, "{length}");
    }
}

#[test]
fn the_best_classes_come_as_the_extension_writes_them() {
    let network = Network { classes: 5, ..Network::default() };
    let store = store(&[("net", network.clone())]);
    let server = serve(config(store.path()));
    let data = ramp(2 * 192);
    let logits = network.eval(&data, 2).remove(1).2;
    let expected: Vec<String> = logits
        .chunks(5)
        .flat_map(|row| {
            let mut order: Vec<usize> = (0..5).collect();
            order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
            order.truncate(2);
            order.into_iter().map(|index| format!(":{index}:class {index}")).collect::<Vec<_>>()
        })
        .collect();
    let request = |raw: bool, count: usize, name: &str| {
        json!({
            "inputs": [{"name": "pixel_values", "shape": [2, 3, 8, 8], "datatype": "FP32", "data": data}],
            "outputs": [{"name": name, "parameters": {"classification": count, "binary_data": raw}}],
        })
    };
    let check = |texts: &[String]| {
        assert_eq!(texts.len(), 4);
        for (index, (text, end)) in texts.iter().zip(&expected).enumerate() {
            let (value, _) = text.split_once(':').unwrap();
            assert!(text.ends_with(end), "{text} does not end with {end}");
            let class: usize = text.split(':').nth(1).unwrap().parse().unwrap();
            assert_close(&[value.parse().unwrap()], &[logits[index / 2 * 5 + class]], text);
        }
    };
    let answer: Value = server.json("/v2/models/net/infer", &request(false, 2, "logits")).json().unwrap();
    let output = &answer["outputs"][0];
    assert_eq!((&output["datatype"], &output["shape"]), (&json!("BYTES"), &json!([2, 2])));
    check(&serde_json::from_value::<Vec<String>>(output["data"].clone()).unwrap());

    let (answer, mut raw) = split(server.json("/v2/models/net/infer", &request(true, 2, "logits")));
    assert_eq!(answer["outputs"][0]["parameters"]["binary_data_size"], raw.len());
    let mut texts = Vec::new();
    while !raw.is_empty() {
        let length = u32::from_le_bytes(raw[..4].try_into().unwrap()) as usize;
        texts.push(String::from_utf8(raw[4..4 + length].to_vec()).unwrap());
        raw.drain(..4 + length);
    }
    check(&texts);

    let answer: Value = server.json("/v2/models/net/infer", &request(false, 99, "embedding")).json().unwrap();
    assert_eq!(answer["outputs"][0]["shape"], json!([2, 4]), "no more classes than values");
    assert_eq!(server.json("/v2/models/net/infer", &request(false, 0, "logits")).status(), 400);
}
