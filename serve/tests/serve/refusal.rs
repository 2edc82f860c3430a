use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use selfie_models::card::CARD_KEY;
use selfie_models::golden::Values;
use selfie_serve::Server;
use serde_json::{Value, json};
use std::path::Path;

/// A network whose card promises other numbers than it gives.
pub fn liar(path: &Path) {
    let network = Network::default();
    let mut card = network.card("liar");
    let golden = &mut card.golden[0];
    let embedding = golden.outputs.get_mut("embedding").unwrap();
    let mut values = embedding.unpack().unwrap();
    values[3] += 0.01;
    *embedding = Values::pack(&embedding.shape, &values);
    network.write_with(path, &card);
}

#[test]
fn a_model_that_differs_from_its_golden_sample_is_refused_and_others_serve() {
    let store = store(&[("good", Network::default())]);
    liar(&store.path().join("liar/1/model.onnx"));
    let server = serve(config(store.path()));
    assert_eq!(server.embed(&json!({"model": "good", "input": base64(&png(1))})).len(), 1);
    let response = server.json("/v1/embeddings", &json!({"model": "liar", "input": base64(&png(1))}));
    assert_eq!(response.status(), 503);
    let answer: Value = response.json().unwrap();
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("golden sample 0 differs on tract (cpu)") && message.contains("element 3"), "{message}");
    assert_eq!(server.get("/v2/health/ready").send().unwrap().status(), 503);
    assert_eq!(server.get("/v2/models/liar/ready").send().unwrap().status(), 503);
    assert_eq!(server.get("/v2/models/good/ready").send().unwrap().status(), 200);
    assert_eq!(server.metric("selfie_model_state{model=\"liar\",state=\"UNAVAILABLE\",version=\"1\"}"), 1.0);
}

#[test]
fn a_store_without_a_usable_model_says_what_is_wrong() {
    type Spoil = fn(&Path);
    let cases: [(Spoil, &str); 9] = [
        (|path| std::fs::write(path, b"").unwrap(), "not a complete ONNX model (it holds no graph)"),
        (|path| std::fs::write(path, b"this is a text").unwrap(), "not a complete ONNX model"),
        (|path| std::fs::write(path, &std::fs::read(path).unwrap()[..300]).unwrap(), "not a complete ONNX model"),
        (
            |path| std::fs::write(path, prost::Message::encode_to_vec(&Network::default().model())).unwrap(),
            "no model card",
        ),
        (|path| std::fs::write(path.with_file_name("card.json"), "{").unwrap(), "card.json"),
        (|path| spoil(path, |card| card.input.name = "x".into()), "names the input \"x\""),
        (|path| spoil(path, |card| card.outputs.logits.as_mut().unwrap().name = "x".into()), "names the output \"x\""),
        (|path| spoil(path, |card| card.input.channels = 1), "image_mean"),
        (liar, "golden sample 0 differs"),
    ];
    for (spoil, expected) in cases {
        let store = store(&[("net", Network::default())]);
        spoil(&store.path().join("net/1/model.onnx"));
        let message = Server::bind(config(store.path())).err().unwrap().to_string();
        assert!(message.contains(expected) && message.contains("net"), "{message:?} does not say {expected:?}");
    }
}

fn spoil(path: &Path, change: impl FnOnce(&mut selfie_models::Card)) {
    let network = Network::default();
    let mut card = network.card("net");
    change(&mut card);
    network.write_with(path, &card);
}

#[test]
fn an_output_of_another_width_than_the_card_says_is_refused() {
    let store = store(&[("net", Network::default())]);
    spoil(&store.path().join("net/1/model.onnx"), |card| {
        card.outputs.embedding.as_mut().unwrap().width = 5;
        card.golden.clear();
    });
    let message = Server::bind(config(store.path())).err().unwrap().to_string();
    assert!(message.contains("\"embedding\" has shape [1, 4], the card says [1, 5]"), "{message}");
}

#[test]
fn a_card_beside_the_model_wins() {
    let store = store(&[("net", Network::default())]);
    let path = store.path().join("net/1/model.onnx");
    let mut card = Network::default().card("net");
    card.outputs.logits.as_mut().unwrap().labels = ["red", "green", "blue"].map(str::to_owned).to_vec();
    let mut model = Network::default().model();
    model.metadata_props.retain(|entry| entry.key != CARD_KEY);
    std::fs::write(&path, prost::Message::encode_to_vec(&model)).unwrap();
    std::fs::write(path.with_file_name("card.json"), card.to_json().unwrap()).unwrap();
    let server = serve(config(store.path()));
    let answer: Value = server.json("/v1/classify", &json!({"input": base64(&png(1)), "top_k": 1})).json().unwrap();
    let label = answer["data"][0]["predictions"][0]["label"].as_str().unwrap();
    assert!(["red", "green", "blue"].contains(&label), "{answer}");
}
