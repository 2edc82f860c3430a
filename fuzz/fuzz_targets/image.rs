#![no_main]

use libfuzzer_sys::fuzz_target;
use selfie_serve::engine::{Engine, Which};
use selfie_serve::metrics::Metrics;
use selfie_serve::preprocess::Preprocessor;
use selfie_serve::{Config, fuzz};
use std::sync::LazyLock;

static PREPROCESSORS: LazyLock<[Preprocessor; 2]> = LazyLock::new(|| {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/pretrained").into();
    let config = Config { models, runtime: "tract".into(), ..Config::default() };
    let engine = Engine::open(&config, &Metrics::new().unwrap()).unwrap();
    fuzz::preprocessors(&engine.find(None, Which::Usual).unwrap())
});

fuzz_target!(|data: &[u8]| {
    let _ = fuzz::image(PREPROCESSORS.as_slice(), data);
});
