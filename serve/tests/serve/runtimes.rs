//! Every runtime gives the same numbers. The half with ONNX Runtime needs its library: `ORT_DYLIB_PATH`.

use super::client::*;
use super::network::{Network, store};
use super::pictures::*;
use selfie_models::card::InputDtype;
use selfie_serve::model::{OpenOptions, open};
use selfie_serve::runtime::{Device, Options};
use serde_json::{Value, json};
use std::io::Write;

fn library_is_here(test: &str) -> bool {
    let here = std::env::var_os("ORT_DYLIB_PATH").is_some_and(|path| !path.is_empty());
    if !here {
        // Not by eprintln, whose text the test runner swallows.
        let text = format!("SKIPPED: {test} needs ONNX Runtime; set ORT_DYLIB_PATH to its shared library\n");
        std::io::stderr().write_all(text.as_bytes()).unwrap();
    }
    here
}

fn options(runtime: &str, threads: usize) -> OpenOptions {
    let runtime = Options { runtime: runtime.into(), device: Device::Cpu, threads, ..Options::default() };
    OpenOptions { runtime, ..OpenOptions::default() }
}

#[test]
fn onnx_runtime_and_tract_give_the_same_numbers() {
    if !library_is_here("onnx_runtime_and_tract_give_the_same_numbers") {
        return;
    }
    let networks = [
        Network { widths: vec![8, 16], ..Network::default() },
        Network { dtype: InputDtype::U8, ..Network::default() },
        Network { fixed_batch: Some(3), classes: 0, ..Network::default() },
    ];
    let images: Vec<Vec<u8>> = (0..7).map(png).collect();
    for network in networks {
        let store = store(&[("net", network.clone())]);
        let tract = open(store.path(), &options("tract", 1)).unwrap().infer(&images).unwrap();
        let onnxruntime = open(store.path(), &options("onnxruntime", 1)).unwrap().infer(&images).unwrap();
        for (tract, onnxruntime) in tract.iter().zip(&onnxruntime) {
            for (tract, onnxruntime) in tract.outputs.iter().zip(&onnxruntime.outputs) {
                assert_close(onnxruntime, tract, &format!("{network:?}"));
            }
        }
    }
}

#[test]
fn onnx_runtime_serves_and_auto_prefers_it() {
    if !library_is_here("onnx_runtime_serves_and_auto_prefers_it") {
        return;
    }
    let store = store(&[("net", Network::default())]);
    let mut config = config(store.path());
    config.runtime = "auto".into();
    let server = serve(config);
    let metadata: Value = server.get("/v2/models/net").send().unwrap().json().unwrap();
    assert_eq!(metadata["platform"], "onnxruntime_onnx");
    assert_eq!(server.embed(&json!({"input": [base64(&png(1)), base64(&jpeg(2))]})).len(), 2);
}

#[test]
fn cuda_that_was_asked_for_and_is_missing_is_an_error() {
    if !library_is_here("cuda_that_was_asked_for_and_is_missing_is_an_error") {
        return;
    }
    let store = store(&[("net", Network::default())]);
    let mut options = options("onnxruntime", 1);
    options.runtime.device = Device::Cuda(99);
    let message = open(store.path(), &options).err().unwrap().to_string();
    assert!(message.contains("cuda:99") && message.contains("selfie runtime install --cuda"), "{message}");
}

#[test]
fn threads_do_not_change_the_numbers() {
    let store = store(&[("net", Network { side: 32, widths: vec![32, 64], ..Network::default() })]);
    let images: Vec<Vec<u8>> = (0..4).map(png).collect();
    let one = open(store.path(), &options("tract", 1)).unwrap().infer(&images).unwrap();
    let two = open(store.path(), &options("tract", 2)).unwrap().infer(&images).unwrap();
    for (one, two) in one.iter().zip(&two) {
        assert_close(&two.outputs[0], &one.outputs[0], "two threads");
    }
}
