use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use serde_json::{Value, json};

#[test]
fn the_best_classes_come_first_with_probabilities() {
    let network = Network { classes: 7, ..Network::default() };
    let store = store(&[("net", network)]);
    let server = serve(config(store.path()));
    let images = [base64(&png(1)), base64(&jpeg(2))];
    let answer: Value = server.json("/v1/classify", &json!({"input": images, "top_k": 7})).json().unwrap();
    assert_eq!((&answer["object"], &answer["model"]), (&json!("classify"), &json!("net")));
    for (index, item) in answer["data"].as_array().unwrap().iter().enumerate() {
        assert_eq!(item["index"], index);
        let predictions = item["predictions"].as_array().unwrap();
        let scores: Vec<f64> = predictions.iter().map(|prediction| prediction["score"].as_f64().unwrap()).collect();
        assert_eq!(scores.len(), 7);
        assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
        assert!((scores.iter().sum::<f64>() - 1.0).abs() < f64::from(super::network::TOLERANCE), "{scores:?}");
        for prediction in predictions {
            assert_eq!(prediction["label"], format!("class {}", prediction["index"]));
        }
    }
    for (body, count) in [(json!({"input": images[0]}), 5), (json!({"input": images[0], "top_k": 99}), 7)] {
        let answer: Value = server.json("/v1/classify", &body).json().unwrap();
        assert_eq!(answer["data"][0]["predictions"].as_array().unwrap().len(), count);
    }
    let raw = server.post("/v1/classify?top_k=1").header("content-type", "image/png").body(png(1)).send().unwrap();
    let raw: Value = raw.json().unwrap();
    assert_eq!(raw["data"][0]["predictions"], json!([answer["data"][0]["predictions"][0]]));
}

#[test]
fn the_scores_are_the_softmax_of_the_logits_or_these_themselves() {
    let store = store(&[("net", Network::default())]);
    let server = serve(config(store.path()));
    let image = base64(&png(5));
    let tensor = json!({"inputs": [{"name": "pixel_values", "shape": [1], "datatype": "BYTES", "data": [image]}]});
    let infer: Value = server.json("/v2/models/net/infer", &tensor).json().unwrap();
    let logits = floats(&infer["outputs"][1]["data"]);
    let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
    for raw_scores in [false, true] {
        let body = json!({"input": image, "raw_scores": raw_scores});
        let answer: Value = server.json("/v1/classify", &body).json().unwrap();
        for prediction in answer["data"][0]["predictions"].as_array().unwrap() {
            let logit = logits[prediction["index"].as_u64().unwrap() as usize];
            let expected = if raw_scores { logit } else { logit.exp() / sum };
            assert_close(&[prediction["score"].as_f64().unwrap() as f32], &[expected], "score");
        }
    }
}

#[test]
fn infinity_s_clients_get_all_classes_in_its_words() {
    let store = store(&[("net", Network { classes: 7, ..Network::default() })]);
    let server = serve(config(store.path()));
    let images = [base64(&png(1)), base64(&jpeg(2))];
    for raw_scores in [false, true] {
        let body = json!({"input": images, "raw_scores": raw_scores, "top_k": 7});
        let ours: Value = server.json("/v1/classify", &body).json().unwrap();
        let request = server.post("/classify").header("x-request-id", "shop-7");
        let request = request.json(&json!({"model": "net", "input": images, "raw_scores": raw_scores}));
        let answer: Value = request.send().unwrap().json().unwrap();
        assert_eq!((&answer["object"], &answer["model"]), (&json!("classify"), &json!("net")));
        assert_eq!((&answer["id"], answer["created"].as_u64().unwrap() > 1_000_000_000), (&json!("shop-7"), true));
        assert_eq!(answer["usage"], json!({"prompt_tokens": 0, "total_tokens": 0}));
        let lists = answer["data"].as_array().unwrap();
        assert_eq!(lists.len(), 2, "{answer}");
        for (list, ours) in lists.iter().zip(ours["data"].as_array().unwrap()) {
            let (list, ours) = (list.as_array().unwrap(), ours["predictions"].as_array().unwrap());
            assert_eq!(list.len(), 7, "{answer}");
            for (class, ours) in list.iter().zip(ours) {
                assert_eq!(class["label"], ours["label"], "{answer}");
                let score = |class: &Value| class["score"].as_f64().unwrap() as f32;
                assert_close(&[score(class)], &[score(ours)], "score");
            }
        }
    }
    let answer: Value = server.json("/classify", &json!({"input": images[0], "top_k": 2})).json().unwrap();
    assert_eq!(answer["data"][0].as_array().unwrap().len(), 2, "{answer}");
    assert_eq!(server.json("/classify", &json!({"input": images[0], "top_k": 0})).status(), 400);
}
