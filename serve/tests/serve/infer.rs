use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use selfie_models::card::InputDtype;
use serde_json::{Value, json};

fn ramp(count: usize) -> Vec<f32> {
    (0..count).map(|index| (index % 17) as f32 / 8.0 - 1.0).collect()
}

#[test]
fn a_tensor_gives_all_outputs_or_those_that_were_asked_for() {
    let network = Network::default();
    let store = store(&[("net", network.clone())]);
    let server = serve(config(store.path()));
    let data = ramp(2 * 3 * 8 * 8);
    let expected = network.eval(&data, 2);
    let tensor = json!({"name": "pixel_values", "shape": [2, 3, 8, 8], "datatype": "FP32", "data": data});
    let answer: Value = server.json("/v2/models/net/infer", &json!({"id": "42", "inputs": [tensor]})).json().unwrap();
    assert_eq!(
        (&answer["id"], &answer["model_name"], &answer["model_version"]),
        (&json!("42"), &json!("net"), &json!("1"))
    );
    for (output, (name, shape, values)) in answer["outputs"].as_array().unwrap().iter().zip(&expected) {
        assert_eq!(
            (&output["name"], &output["shape"], &output["datatype"]),
            (&json!(name), &json!(shape), &json!("FP32"))
        );
        assert_close(&floats(&output["data"]), values, name);
    }
    let body = json!({"inputs": [tensor], "outputs": [{"name": "logits"}]});
    let answer: Value = server.json("/v2/models/net/versions/1/infer", &body).json().unwrap();
    assert_eq!(answer["outputs"].as_array().unwrap().len(), 1);
    assert_eq!(answer["outputs"][0]["name"], "logits");
    assert!(answer.get("id").is_none());
    let twice = json!({"inputs": [tensor], "outputs": vec![json!({"name": "logits"}); 20_000]});
    let response = server.json("/v2/models/net/infer", &twice);
    assert_eq!(response.status(), 400);
    let answer: Value = response.json().unwrap();
    assert!(answer["error"].as_str().unwrap().contains("\"logits\" is asked for twice"), "{answer}");
}

#[test]
fn null_stands_for_what_was_not_set() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let tensor = json!({"name": "pixel_values", "shape": [1, 3, 8, 8], "datatype": "FP32", "data": ramp(192)});
    let ask = |path: &str, body: Value| -> Value {
        let response = server.json(path, &body);
        assert_eq!(response.status(), 200, "{body}");
        response.json().unwrap()
    };
    let mut nulls = tensor.clone();
    nulls["parameters"] = Value::Null;
    let infer = |inputs, outputs, parameters| {
        ask(
            "/v2/models/net/infer",
            json!({"id": null, "inputs": [inputs], "outputs": outputs, "parameters": parameters}),
        )
    };
    let plain = ask("/v2/models/net/infer", json!({"inputs": [tensor]}));
    assert_eq!(infer(&nulls, Value::Null, Value::Null), plain);
    let outputs =
        json!([{"name": "embedding", "parameters": null}, {"name": "logits", "parameters": {"classification": null}}]);
    assert_eq!(infer(&nulls, outputs, json!({"binary_data_output": null, "timeout": null})), plain);
    assert_eq!(ask("/v2/repository/index", json!({"ready": null})).as_array().unwrap().len(), 1);

    let image = base64(&png(1));
    let plain = ask("/v1/embeddings", json!({"input": image}));
    let options =
        json!({"model": null, "input": image, "encoding_format": null, "normalized": null, "dimensions": null});
    assert_eq!(ask("/v1/embeddings", options)["data"], plain["data"]);
}

#[test]
fn nested_lists_and_bytes_are_tensors_too() {
    let network = Network { dtype: InputDtype::U8, ..Network::default() };
    let store = store(&[("net", network.clone())]);
    let server = serve(config(store.path()));
    let nested: Vec<Vec<Vec<usize>>> =
        (0..3).map(|band| (0..8).map(|y| (0..8).map(|x| band * 64 + y * 8 + x).collect()).collect()).collect();
    let flat: Vec<f32> = (0..192).map(|value| value as f32).collect();
    let tensor = json!({"name": "pixel_values", "shape": [1, 3, 8, 8], "datatype": "UINT8", "data": [nested]});
    let answer: Value = server.json("/v2/models/net/infer", &json!({"inputs": [tensor]})).json().unwrap();
    assert_close(&floats(&answer["outputs"][0]["data"]), &network.eval(&flat, 1)[0].2, "UINT8");
}

#[test]
fn encoded_images_are_prepared_by_the_server() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let images = [base64(&png(1)), base64(&jpeg(2))];
    let tensor = json!({"name": "pixel_values", "shape": [2], "datatype": "BYTES", "data": images});
    let answer: Value = server.json("/v2/models/net/infer", &json!({"inputs": [tensor]})).json().unwrap();
    let vectors = server.embed(&json!({"input": images})).concat();
    assert_close(&floats(&answer["outputs"][0]["data"]), &vectors, "BYTES");
    let tensor = json!({"name": "pixel_values", "shape": [1], "datatype": "BYTES", "data": vec![""; 500]});
    let response = server.json("/v2/models/net/infer", &json!({"inputs": [tensor]}));
    assert_eq!(response.status(), 413, "counted before anything is made of them");
    assert!(response.text().unwrap().contains("500 items"));
}

#[test]
fn a_wrong_tensor_is_refused_with_the_reason() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let tensor = |name: &str, shape: Value, datatype: &str, data: Value| json!({"inputs": [{"name": name, "shape": shape, "datatype": datatype, "data": data}]});
    let shape = json!([1, 3, 8, 8]);
    let data = json!(ramp(192));
    let good = tensor("pixel_values", shape.clone(), "FP32", data.clone());
    let mut unknown_output = good.clone();
    unknown_output["outputs"] = json!([{"name": "nothing"}]);
    let cases = [
        (json!({}), 400, "inputs"),
        (json!({"inputs": []}), 400, "exactly one tensor"),
        (json!(3), 400, "expected an object with inputs"),
        (json!({"inputs": [], "parameters": 3}), 400, "expected an object of parameters"),
        (tensor("x", shape.clone(), "FP32", data.clone()), 400, "is unknown"),
        (tensor("pixel_values", json!([1, 3, 9, 8]), "FP32", data.clone()), 400, "takes [batch, 3, 8, 8]"),
        (tensor("pixel_values", json!([192]), "FP32", data.clone()), 400, "takes [batch, 3, 8, 8]"),
        (tensor("pixel_values", json!([-1, 3, 8, 8]), "FP32", data.clone()), 400, "takes [batch, 3, 8, 8]"),
        (tensor("pixel_values", json!([0, 3, 8, 8]), "FP32", json!([])), 400, "takes [batch, 3, 8, 8]"),
        (tensor("pixel_values", json!([i64::MAX, 3, 8, 8]), "FP32", data.clone()), 400, "data holds 192 numbers"),
        (tensor("pixel_values", json!([2, 3, 8, 8]), "FP32", data.clone()), 400, "data holds 192 numbers"),
        (tensor("pixel_values", shape.clone(), "FP16", data.clone()), 400, "the model takes FP32"),
        (tensor("pixel_values", shape.clone(), "FP32", json!([true])), 400, "numbers or strings"),
        (tensor("pixel_values", shape.clone(), "FP32", json!(vec![1e39; 192])), 400, "holds inf; FP32 takes finite"),
        (tensor("pixel_values", json!([2]), "BYTES", json!([base64(&png(1))])), 400, "the tensor holds 1 elements"),
        (tensor("pixel_values", json!([1]), "BYTES", json!([base64(b"nothing")])), 400, "not an image"),
        (unknown_output, 400, "\"nothing\" is unknown"),
        (tensor("pixel_values", json!([200, 3, 8, 8]), "FP32", json!(ramp(200 * 192))), 413, "at most 128"),
    ];
    for (body, status, expected) in cases {
        let response = server.json("/v2/models/net/infer", &body);
        let found = response.status();
        let answer: Value = response.json().unwrap();
        let message = answer["error"].as_str().unwrap_or_default();
        assert!(found == status && message.contains(expected), "{found} {answer}, expected {status} {expected:?}");
    }
    let binary = server.post("/v2/models/net/infer").header("inference-header-content-length", "10").json(&good);
    assert_eq!(binary.send().unwrap().status(), 400);
    assert_eq!(server.json("/v2/models/net/infer", &good).status(), 200);
}
