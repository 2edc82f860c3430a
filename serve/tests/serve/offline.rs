use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use selfie_serve::model::{OpenOptions, open};
use selfie_serve::runtime::Options;
use serde_json::json;

fn options() -> OpenOptions {
    let runtime = Options { runtime: "tract".into(), threads: 1, ..Options::default() };
    OpenOptions { runtime, ..OpenOptions::default() }
}

#[test]
fn a_model_without_a_server_gives_the_same_numbers() {
    let fixed = Network { fixed_batch: Some(2), ..Network::default() };
    let store = store(&[("net", Network::default()), ("fixed", fixed)]);
    let server = serve(config(store.path()));
    let images: Vec<Vec<u8>> = (0..5).map(jpeg).collect();
    let texts: Vec<String> = images.iter().map(|image| base64(image)).collect();
    for name in ["net", "fixed"] {
        let model = open(store.path(), &OpenOptions { model: Some(name.into()), ..options() }).unwrap();
        let rows = model.infer(&images).unwrap();
        let served = server.embed(&json!({"model": name, "input": texts}));
        for (row, served) in rows.iter().zip(&served) {
            assert_close(model.embedding(row).unwrap(), served, name);
            assert_eq!(model.logits(row).unwrap().len(), 3);
        }
        assert_eq!(rows.len(), 5);
    }
}

#[test]
fn an_image_that_cannot_be_used_is_named() {
    let store = store(&[("net", Network { fixed_batch: Some(2), ..Network::default() })]);
    let model = open(store.path(), &options()).unwrap();
    let images = [png(1), png(2), png(3), b"nothing".to_vec()];
    let message = model.infer(&images).unwrap_err().to_string();
    assert!(message.starts_with("image 3: "), "{message}");
    assert!(model.infer::<Vec<u8>>(&[]).unwrap().is_empty());
}
