//! `selfie card init`: ONNX models that others made are served.

mod support;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::path::Path;
use support::{MODEL_TOLERANCE, Serving, client, run, script, succeed};

/// Exit code of a command that failed.
const FAILED: i32 = 1;
/// Size of the prepared images of the models with tokens.
const SIDE: usize = 8;

/// Foreign models in a folder, and what they must answer to the images there.
fn models(folder: &Path) -> Option<Value> {
    Some(serde_json::from_str(&script("make_foreign_models.py", [folder])?).unwrap())
}

#[test]
fn models_from_elsewhere_get_a_card_and_are_served() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let Some(expected) = models(path) else { return };
    let told = succeed(path, &["card", "init", "store/colours/1/model.onnx"]);
    let said = ["channels are its second axis", "preprocessor_config.json", "\"logits\" holds class scores"];
    for text in said.into_iter().chain(["\"last_hidden_state\" [?, ?, ?, ?] is not served", "card.json"]) {
        assert!(told.contains(text), "no {text:?} in {told}");
    }
    let told = succeed(path, &["card", "init", "store/sums/1/model.onnx"]);
    for text in ["channels are its last axis", "neither preprocessor_config.json nor timm", "\"out\" holds vectors"] {
        assert!(told.contains(text), "no {text:?} in {told}");
    }
    let card = std::fs::read_to_string(path.join("store/colours/1/card.json")).unwrap();
    let card: Value = serde_json::from_str(&card).unwrap();
    assert_eq!((&card["name"], &card["golden"].as_array().unwrap().len()), (&json!("colours"), &2));

    for model in ["store/colours/1/model.onnx", "store/sums/1/model.onnx"] {
        let told = succeed(path, &["verify", model]);
        let ok = |line: &str| line.contains("tract") && line.contains(" ok");
        assert!(told.contains("card.json was made") && told.lines().any(ok), "{told}");
        let told = succeed(path, &["inspect", model]);
        assert!(told.contains("card in a file beside the model: "), "{told}");
    }
    let sums = path.join("store/sums/1/card.json");
    let card = std::fs::read_to_string(&sums).unwrap();
    std::fs::write(&sums, card.replacen("\"seed\": 1", "\"seed\": 9", 1)).unwrap();
    let (code, told, stderr) = run(path, &["verify", "store/sums/1/model.onnx"]);
    assert!(code == FAILED && told.contains("differs") && stderr.contains("the right numbers"), "{told}{stderr}");
    std::fs::write(&sums, card).unwrap();

    // Another runtime than the one that made the golden samples, where there is another. The other models have no card.
    for name in ["first", "mean17", "mean18", "places", "squeeze"] {
        std::fs::remove_dir_all(path.join("store").join(name)).unwrap();
    }
    let serving = Serving::start(path, &["--models", "store", "--runtime", "tract"]);
    let images: Vec<String> =
        (0..3).map(|index| STANDARD.encode(std::fs::read(path.join(format!("{index}.png"))).unwrap())).collect();
    for (model, output) in [("colours", "logits"), ("sums", "out")] {
        let input = if model == "colours" { "pixel_values" } else { "image" };
        let tensor = json!({"name": input, "shape": [3], "datatype": "BYTES", "data": images});
        let answer = post(&serving, &format!("/v2/models/{model}/infer"), &json!({"inputs": [tensor]}));
        assert_eq!(answer["outputs"][0]["name"], output, "{answer}");
        let found = numbers(&answer["outputs"][0]["data"]);
        let wanted: Vec<f64> = expected[model].as_array().unwrap().iter().flat_map(numbers).collect();
        assert_eq!(found.len(), wanted.len(), "{model}");
        let largest = wanted.iter().fold(1.0, |largest: f64, value| largest.max(value.abs()));
        for (found, wanted) in found.iter().zip(&wanted) {
            assert!((found - wanted).abs() <= MODEL_TOLERANCE * largest, "{model}: {found} for {wanted}");
        }
    }
    let answer = post(&serving, "/v1/classify", &json!({"model": "colours", "input": images[0]}));
    let scores = numbers(&expected["colours"][0]);
    let best = (0..4).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap();
    assert_eq!(answer["data"][0]["predictions"][0]["label"], ["red", "green", "blue", "grey"][best], "{answer}");
}

#[test]
fn vectors_of_tokens_and_places_become_one_of_an_image() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let Some(expected) = models(path) else { return };
    for (name, pooling, said) in [
        (
            "first",
            Some("cls"),
            "\"embedding_2\" was added to the file: of the vectors in \"last_hidden_state\" that of the first token",
        ),
        ("mean17", Some("mean"), "of the vectors in \"last_hidden_state\" the mean"),
        ("mean18", Some("mean"), "of the vectors in \"last_hidden_state\" the mean"),
        ("places", Some("mean"), "of the vectors in \"places\" the mean"),
        ("squeeze", None, "\"softmaxout_1\" holds class scores"),
    ] {
        let model = format!("store/{name}/1/model.onnx");
        let (before, mut arguments) = (std::fs::read(path.join(&model)).unwrap(), vec!["card", "init", &model]);
        if let Some(pooling) = pooling {
            let (code, _, stderr) = run(path, &arguments);
            assert!(code == FAILED && stderr.contains("--pooling cls or mean"), "{name}: {code} {stderr}");
            arguments.extend(["--pooling", pooling]);
        }
        let told = succeed(path, &arguments);
        assert!(told.contains(said), "{name}: {told}");
        let after = std::fs::read(path.join(&model)).unwrap();
        assert_eq!(before == after, pooling.is_none(), "{name}");
        script("check_attributes.py", [path.join(&model)]).unwrap();
        let told = succeed(path, &["verify", &model]);
        let ok = |line: &str| line.contains("tract") && line.contains(" ok");
        assert!(told.lines().any(ok) && !told.contains("differs"), "{name}: {told}");
        assert_eq!(
            std::fs::read_dir(path.join("store").join(name).join("1")).unwrap().count(),
            if name == "squeeze" { 3 } else { 2 }
        );
    }
    let card = std::fs::read_to_string(path.join("store/squeeze/1/card.json")).unwrap();
    let card: Value = serde_json::from_str(&card).unwrap();
    assert_eq!(card["outputs"]["logits"]["labels"], json!(["red", "green", "blue"]));
    let steps = &card["preprocessing"];
    assert_eq!((&steps["size"], &steps["resample"]), (&json!({"shortest_edge": 10}), &json!(3)), "{card}");
    for runtime in ["tract", "rten", "auto"] {
        let serving = Serving::start(path, &["--models", "store", "--runtime", runtime]);
        for (name, wanted) in expected["tensors"].as_object().unwrap() {
            let tensor =
                json!({"name": "pixels", "shape": [3, 3, SIDE, SIDE], "datatype": "FP32", "data": expected["items"]});
            let answer = post(&serving, &format!("/v2/models/{name}/infer"), &json!({"inputs": [tensor]}));
            let found = numbers(&answer["outputs"][0]["data"]);
            let wanted: Vec<f64> = wanted.as_array().unwrap().iter().flat_map(numbers).collect();
            assert_eq!(answer["outputs"][0]["shape"], json!([3, wanted.len() / 3]), "{name} by {runtime}");
            for (found, wanted) in found.iter().zip(&wanted) {
                assert!((found - wanted).abs() <= MODEL_TOLERANCE, "{name} by {runtime}: {found} for {wanted}");
            }
        }
    }
    let refused = run(path, &["card", "init", "store/sums/1/model.onnx", "--pooling", "cls"]);
    assert!(refused.0 == FAILED && refused.2.contains("each of several tokens"), "{}", refused.2);
}

#[test]
fn what_cannot_be_served_gets_no_card_and_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    if models(path).is_none() {
        return;
    }
    std::fs::write(path.join("other/config.json"), "{\"id2label\": {\"1\": \"a\"}}").unwrap();
    std::fs::create_dir_all(path.join("cards/1")).unwrap();
    std::fs::copy(path.join("store/sums/1/model.onnx"), path.join("cards/1/model.onnx")).unwrap();
    std::fs::write(path.join("cards/1/card.json"), "mine").unwrap();
    let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/models/pretrained/fashion-mnist/1/model.onnx");
    let cases = [
        ("other/text.onnx", "\"x\" is INT64"),
        ("other/flat.onnx", "an image input has four axes"),
        ("other/map.onnx", "id2label has no name for class 0"),
        ("other/open.onnx", "no preprocessor_config.json beside it says them"),
        ("cards/1/model.onnx", "card.json is there already"),
        ("0.png", "not a complete ONNX model"),
        ("nowhere.onnx", "nowhere.onnx"),
        (ours, "carries its card already"),
    ];
    for (model, expected) in cases {
        let (out, mut arguments) = (path.join("new.json"), vec!["card", "init", model]);
        if !model.starts_with("cards") {
            arguments.extend(["--out", "new.json"]);
        }
        let (code, _, stderr) = run(path, &arguments);
        assert!(code == FAILED && stderr.contains(expected), "{model}: {code} {stderr}");
        assert!(!out.exists(), "{model}");
    }
    std::fs::remove_file(path.join("other/config.json")).unwrap();
    let (code, _, stderr) = run(path, &["card", "init", "other/map.onnx"]);
    assert!(code == FAILED && stderr.contains("\"y\" [?, 3, 8, 8]; --pooling"), "{code} {stderr}");
    assert_eq!(std::fs::read_to_string(path.join("cards/1/card.json")).unwrap(), "mine");
}

fn post(serving: &Serving, path: &str, body: &Value) -> Value {
    let response = client().post(format!("{}{path}", serving.address)).json(body).send().unwrap();
    let status = response.status();
    let answer: Value = response.json().unwrap();
    assert_eq!(status, 200, "{answer}");
    answer
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}
