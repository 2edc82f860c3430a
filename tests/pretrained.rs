//! The model that comes with the project, through the server, on test images.

mod support;

use serde_json::Value;
use std::path::Path;
use support::{Serving, client, idx, png};

/// The floor for the committed model on test images of Fashion-MNIST.
const LEAST_ACCURACY: f64 = 0.88;
const REQUEST_IMAGES: usize = 100;

#[test]
fn serve_without_arguments_classifies_fashion() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The full test split where its Debian package is installed, else the bundled part of it.
    let full = Path::new("/usr/share/datasets/fashion-mnist");
    let sample = root.join("train/assets/fashion-mnist-sample");
    let data = if full.is_dir() { full } else { &sample };
    let images = idx(&data.join("t10k-images-idx3-ubyte.gz"), 16);
    let labels = idx(&data.join("t10k-labels-idx1-ubyte.gz"), 8);

    let serving = Serving::start(root, &[]);
    let client = client();
    let mut right = 0;
    for (images, labels) in images.chunks(28 * 28 * REQUEST_IMAGES).zip(labels.chunks(REQUEST_IMAGES)) {
        let form = images.chunks(28 * 28).fold(reqwest::blocking::multipart::Form::new(), |form, pixels| {
            form.part("images", reqwest::blocking::multipart::Part::bytes(png(pixels)).file_name("image.png"))
        });
        let answer = client.post(format!("{}/v1/classify", serving.address)).multipart(form).send().unwrap();
        let answer: Value = answer.error_for_status().unwrap().json().unwrap();
        for (answer, label) in answer["data"].as_array().unwrap().iter().zip(labels) {
            right += usize::from(answer["predictions"][0]["index"] == u64::from(*label));
        }
    }
    let accuracy = right as f64 / labels.len() as f64;
    println!("{right} of {} test images right: {accuracy:.4}", labels.len());
    assert!(accuracy >= LEAST_ACCURACY, "{accuracy}");
}
