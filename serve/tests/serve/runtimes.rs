//! Every runtime gives the same numbers. What ONNX Runtime is asked needs its library: `ORT_DYLIB_PATH`.

use super::client::*;
use super::network::{Network, Tail, store};
use super::pictures::*;
use selfie_models::card::InputDtype;
use selfie_serve::Error;
use selfie_serve::model::{Model, OpenOptions, Row, open};
use selfie_serve::runtime::{BatchBuckets, Device, IoBinding, Options};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The runtimes that are always here.
const BUILT_IN: [&str; 2] = ["tract", "rten"];

fn library_is_here(test: &str) -> bool {
    let here = std::env::var_os("ORT_DYLIB_PATH").is_some_and(|path| !path.is_empty());
    if !here {
        // Not by eprintln, whose text the test runner swallows.
        let text = format!("SKIPPED: {test} needs ONNX Runtime; set ORT_DYLIB_PATH to its shared library\n");
        std::io::stderr().write_all(text.as_bytes()).unwrap();
    }
    here
}

/// Every runtime that is here.
pub fn present(test: &str) -> Vec<&'static str> {
    BUILT_IN.into_iter().chain(library_is_here(test).then_some("onnxruntime")).collect()
}

fn options(runtime: &str, threads: usize) -> OpenOptions {
    let runtime = Options { runtime: runtime.into(), device: Device::Cpu, threads, ..Options::default() };
    OpenOptions { runtime, ..OpenOptions::default() }
}

/// As where ONNX Runtime is not installed.
fn without_library() -> OpenOptions {
    let mut options = options("auto", 1);
    options.runtime.onnxruntime = Some(PathBuf::from("/does/not/exist/libonnxruntime.so"));
    options
}

fn infer(store: &Path, options: &OpenOptions, images: &[Vec<u8>]) -> Vec<Row> {
    open(store, options).unwrap().infer(images).unwrap()
}

#[track_caller]
fn assert_rows_close(found: &[Row], expected: &[Row], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.outputs.len(), expected.outputs.len(), "{what}");
        for (found, expected) in found.outputs.iter().zip(&expected.outputs) {
            assert_close(found, expected, what);
        }
    }
}

#[test]
fn every_runtime_gives_the_same_numbers() {
    let networks = [
        Network { widths: vec![8, 16], ..Network::default() },
        Network { dtype: InputDtype::U8, ..Network::default() },
        Network { fixed_batch: Some(3), classes: 0, ..Network::default() },
    ];
    let images: Vec<Vec<u8>> = (0..7).map(png).collect();
    for network in networks {
        let store = store(&[("net", network.clone())]);
        let expected = infer(store.path(), &options("tract", 1), &images);
        for runtime in present("every_runtime_gives_the_same_numbers") {
            let found = infer(store.path(), &options(runtime, 1), &images);
            assert_rows_close(&found, &expected, &format!("{runtime}: {network:?}"));
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
fn without_onnx_runtime_the_faster_of_those_built_in_serves_and_the_configuration_says_so() {
    let store = store(&[("net", Network { side: 32, widths: vec![32, 32], ..Network::default() })]);
    let mut config = config(store.path());
    (config.runtime, config.onnxruntime) = ("auto".into(), without_library().runtime.onnxruntime);
    let server = serve(config);
    let answer: Value = server.get("/v2/models/net/config").send().unwrap().json().unwrap();
    let reason = answer["parameters"]["runtime_reason"]["string_value"].as_str().unwrap();
    let backend = answer["backend"].as_str().unwrap();
    assert!(reason.contains("/does/not/exist"), "{reason}");
    let (_, measured) = reason.split_once("measured on this model: ").expect(reason);
    assert!(measured.starts_with(&format!("{backend} takes ")), "the faster one comes first: {reason}");
    for runtime in BUILT_IN {
        assert!(measured.contains(&format!("{runtime} takes ")), "{reason}");
    }
    assert_eq!(measured.matches(" ms for 1 image and ").count(), 2, "{reason}");
    assert_eq!(measured.matches(" ms for 8 images").count(), 2, "{reason}");
    assert_eq!(server.embed(&json!({"input": [base64(&png(1)), base64(&jpeg(2))]})).len(), 2);
}

#[test]
fn a_model_that_one_of_those_built_in_refuses_or_gets_wrong_is_served_by_the_other() {
    let cases = [
        (Tail::Selu, true, "rten", "tract", "rten cannot load it"),
        (Tail::Sequence, false, "tract", "rten", "tract cannot load it"),
        (Tail::Doubles, true, "rten", "tract", "differs on rten"),
    ];
    for (tail, golden, refusing, serving, reason) in cases {
        let store = store(&[("net", Network { tail, golden, ..Network::default() })]);
        let refused: Result<Model, Error> = open(store.path(), &options(refusing, 1));
        let message = refused.err().unwrap_or_else(|| panic!("{refusing} takes {tail:?}")).to_string();
        assert!(message.contains(reason), "{tail:?}: {message}");
        let model = open(store.path(), &without_library()).unwrap();
        assert_eq!(model.choice.runtime, serving, "{tail:?}: {}", model.choice.reason);
        if golden {
            // The faster one is asked first; what the slower one would say is not known then.
            let is_known = model.choice.reason.contains(reason);
            let is_faster = model.choice.reason.contains(&format!("measured on this model: {serving} takes"));
            assert!(is_known || is_faster, "{tail:?}: {}", model.choice.reason);
        }
        assert_eq!(model.infer(&[png(1)]).unwrap().len(), 1);
    }
}

#[test]
fn what_an_execution_provider_lacks_is_an_error() {
    if !library_is_here("what_an_execution_provider_lacks_is_an_error") {
        return;
    }
    let store = store(&[("net", Network::default())]);
    for (device, name, advice) in [
        ("cuda:99", "CUDA", "selfie runtime install --cuda"),
        ("tensorrt:99", "TensorRT", "selfie runtime install --cuda"),
        ("openvino:npu", "OpenVINO", "onnxruntime-openvino"),
    ] {
        let mut options = options("onnxruntime", 1);
        options.runtime.device = device.parse().unwrap();
        let message = open(store.path(), &options).err().unwrap().to_string();
        assert!(message.contains(&format!("device \"{device}\"")), "{message}");
        assert!(message.contains(&format!("{name} does not work")) && message.contains(advice), "{message}");
    }
}

#[test]
fn threads_do_not_change_the_numbers() {
    let store = store(&[("net", Network { side: 32, widths: vec![32, 64], ..Network::default() })]);
    let images: Vec<Vec<u8>> = (0..4).map(png).collect();
    for runtime in BUILT_IN {
        let one = infer(store.path(), &options(runtime, 1), &images);
        let two = infer(store.path(), &options(runtime, 2), &images);
        assert_rows_close(&two, &one, &format!("{runtime} with two threads"));
        assert_eq!(one, infer(store.path(), &options(runtime, 1), &images), "{runtime} gives the same bits again");
    }
}

#[test]
fn buckets_do_not_change_the_numbers() {
    let store = store(&[("net", Network { widths: vec![8, 16], ..Network::default() })]);
    let images: Vec<Vec<u8>> = (0..9).map(png).collect();
    for runtime in present("buckets_do_not_change_the_numbers") {
        let free = options(runtime, 1);
        let mut bucketed = options(runtime, 1);
        bucketed.runtime.batch_buckets = BatchBuckets::Sizes(vec![2, 5]);
        let (free, bucketed) = (open(store.path(), &free).unwrap(), open(store.path(), &bucketed).unwrap());
        for count in 1..=images.len() {
            let (expected, found) = (free.infer(&images[..count]).unwrap(), bucketed.infer(&images[..count]).unwrap());
            assert_rows_close(&found, &expected, &format!("{runtime}, {count} images"));
        }
    }
}

#[test]
fn io_binding_does_not_change_the_numbers() {
    if !library_is_here("io_binding_does_not_change_the_numbers") {
        return;
    }
    let images: Vec<Vec<u8>> = (0..9).map(png).collect();
    for dtype in [InputDtype::F32, InputDtype::U8] {
        let store = store(&[("net", Network { dtype, widths: vec![8, 16], ..Network::default() })]);
        let free = open(store.path(), &options("onnxruntime", 1)).unwrap();
        let bound = |io_binding, batch_buckets: &str| {
            let mut bound = options("onnxruntime", 1);
            (bound.runtime.io_binding, bound.runtime.batch_buckets) = (io_binding, batch_buckets.parse().unwrap());
            bound
        };
        for (io_binding, batch_buckets, told) in [
            (IoBinding::Pinned, "2,5", &["I/O binding: batches of 2 ", " ms pinned; I/O binding: batches of 5 "][..]),
            (IoBinding::Auto, "1,4", &["I/O binding: batches of 1 ", " ms without, ", " ms pinned"]),
            (IoBinding::Auto, "auto", &[]),
        ] {
            let bound = open(store.path(), &bound(io_binding, batch_buckets)).unwrap();
            for part in told {
                assert!(bound.choice.reason.contains(part), "{} does not say {part:?}", bound.choice.reason);
            }
            for count in 1..=images.len() {
                let (expected, found) = (free.infer(&images[..count]).unwrap(), bound.infer(&images[..count]).unwrap());
                assert_rows_close(&found, &expected, &format!("{io_binding}, {count} images"));
            }
        }
        for (options, reason) in [
            (bound(IoBinding::CudaGraphs, "1,4"), "io_binding: cuda-graphs needs the device cuda, not cpu"),
            (bound(IoBinding::Pinned, "auto"), "needs the sizes of batches: name them with --batch-buckets"),
        ] {
            let message = open(store.path(), &options).err().unwrap().to_string();
            assert!(message.contains(reason), "{message}");
        }
    }
}

#[test]
fn only_onnx_runtime_binds() {
    let store = store(&[("net", Network::default())]);
    let mut bound = options("rten", 1);
    bound.runtime.io_binding = IoBinding::Pinned;
    let message = open(store.path(), &bound).err().unwrap().to_string();
    assert!(message.contains("pinned is for onnxruntime; here rten serves"), "{message}");
}

#[test]
fn a_server_fills_batches_up_and_counts_the_padding() {
    let store = store(&[("net", Network::default())]);
    let expected = infer(store.path(), &options("rten", 1), &[png(1)]);
    let mut config = config(store.path());
    (config.runtime, config.batch_buckets) = ("rten".into(), "4,8".parse().unwrap());
    let server = serve(config);
    let found = server.embed(&json!({"input": base64(&png(1))}));
    assert_close(&found[0], &expected[0].outputs[0], "one image in a batch of four");
    assert_eq!(server.metric("selfie_batch_rows_total{model=\"net\",version=\"1\"}"), 4.0);
    assert_eq!(server.metric("selfie_padding_ratio{model=\"net\",version=\"1\"}"), 0.75);
    assert_eq!(server.metric("selfie_items_total{model=\"net\",version=\"1\"}"), 1.0);
    let answer: Value = server.get("/v2/models/net/config").send().unwrap().json().unwrap();
    assert_eq!(answer["parameters"]["batch_buckets"]["string_value"], "4,8");
    assert_eq!(answer["max_batch_size"], 8, "the largest bucket is the largest batch");
}
