#![no_main]

use libfuzzer_sys::fuzz_target;
use selfie_serve::Config;
use selfie_serve::engine::{Engine, Served, Which};
use selfie_serve::metrics::Metrics;
use std::sync::{Arc, LazyLock};

static SERVED: LazyLock<Arc<Served>> = LazyLock::new(|| {
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/pretrained").into();
    let config = Config { models, runtime: "tract".into(), ..Config::default() };
    let engine = Engine::open(&config, &Metrics::new().unwrap()).unwrap();
    engine.find(None, Which::Usual).unwrap()
});

fuzz_target!(|data: &[u8]| {
    let _ = selfie_serve::fuzz::infer_request(&SERVED, data);
});
