//! Smaller numbers and other inputs, in real runtimes.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::{DType, Device, Tensor, TensorData};
use selfie_export::ir::ElementType;
use selfie_export::precision::int8::{Calibration, Int8};
use selfie_export::precision::{Half, HalfType, Keep};
use selfie_export::verify::{Case, OnnxRuntime, Tolerance, TractRunner, verify};
use selfie_export::{Error, Export, Model, Prefix, run_eager};

use crate::weights::drawn;

/// The least cosine with 32-bit floats, by type.
const LEAST_COSINE: [(HalfType, f64); 2] = [(HalfType::F16, 0.9999), (HalfType::BF16, 0.999)];
const LEAST_COSINE_INT8: f64 = 0.99;
const ANY: Tolerance = Tolerance { absolute: f64::INFINITY, relative: 0.0 };

#[derive(Module, Debug)]
struct Net {
    conv1: Conv2d,
    conv2: Conv2d,
    norm: BatchNorm,
    fc: Linear,
}

fn net() -> Net {
    let device = Device::flex();
    let conv = |channels| Conv2dConfig::new(channels, [3, 3]).with_padding(PaddingConfig2d::Same).init(&device);
    // What lower precision costs depends on the weights.
    drawn(Net {
        conv1: conv([3, 16]),
        conv2: conv([16, 16]),
        norm: BatchNormConfig::new(16).init(&device),
        fc: LinearConfig::new(16, 10).init(&device),
    })
}

/// A residual block between layers: the sum has two readers of quantised numbers and a normalisation behind it.
fn forward(net: &Net, x: Tensor<4>) -> (Tensor<2>, Tensor<2>) {
    let h = relu(net.conv1.forward(x));
    let h = relu(net.norm.forward(net.conv2.forward(h.clone()) + h));
    let [batch, channels, height, width] = h.dims();
    let embedding = h.reshape([batch, channels, height * width]).mean_dim(2).reshape([batch, channels]);
    (embedding.clone(), softmax(net.fc.forward(embedding), 1))
}

fn compile(net: &Net) -> Model {
    Export::new(net)
        .input("x", Tensor::<4>::zeros([2, 3, 8, 8], &Device::flex()), [(0, "batch")])
        .outputs(["embedding", "scores"])
        .compile(forward)
        .expect("the network compiles")
}

fn onnxruntime() -> Option<OnnxRuntime> {
    let runtime = OnnxRuntime::from_env().expect("ORT_DYLIB_PATH names a library that loads");
    if runtime.is_none() {
        eprintln!("SKIPPED: lower precision needs ONNX Runtime, and ORT_DYLIB_PATH is not set");
    }
    runtime
}

/// Random inputs and what Burn answers in 32-bit floats.
fn cases(net: &Net, model: &Model) -> Vec<Case> {
    let case = |batch: usize| {
        let inputs = model.random_inputs(&[("batch", batch)], batch as u64).expect("random inputs");
        let expected = run_eager(net, &Device::flex(), forward, inputs.clone()).expect("Burn runs");
        Case::new(inputs, expected)
    };
    [1, 2, 7].map(case).to_vec()
}

fn keep(patterns: &[&str]) -> Keep {
    Keep(patterns.iter().map(|pattern| pattern.to_string()).collect())
}

#[test]
fn half_precision_runs_in_onnxruntime_close_to_burn_and_half_as_large() {
    let Some(runtime) = onnxruntime() else { return };
    let net = net();
    let full = compile(&net);
    let cases = cases(&net, &full);
    for (dtype, least) in LEAST_COSINE {
        let mut model = full.clone();
        let report = model.to_half(&Half { dtype, keep: Keep::default(), io: false }).expect("half precision");
        assert!(report.half + report.stored >= 3, "{dtype:?}: {report:?}\n{}", model.graph().dump());
        let rows = verify(&model.to_bytes().expect("bytes"), &cases, &[&runtime], ANY).expect("it loads");
        for row in rows {
            assert!(row.ok && row.cosine >= least, "{dtype:?}: {row:?}");
        }
        assert!(model.graph().constant_bytes() * 10 < full.graph().constant_bytes() * 6, "{dtype:?} saves too little");
    }
}

#[test]
fn half_precision_inputs_and_outputs_run_in_onnxruntime() {
    let Some(runtime) = onnxruntime() else { return };
    let net = net();
    let full = compile(&net);
    for ((dtype, least), burn) in LEAST_COSINE.into_iter().zip([DType::F16, DType::BF16]) {
        let mut model = full.clone();
        model.to_half(&Half { dtype, keep: Keep::default(), io: true }).expect("half precision");
        let cases: Vec<Case> = cases(&net, &full)
            .into_iter()
            .map(|case| {
                let inputs = case.inputs.into_iter().map(|data| data.convert_dtype(burn)).collect();
                Case::new(inputs, case.expected)
            })
            .collect();
        let rows = verify(&model.to_bytes().expect("bytes"), &cases, &[&runtime], ANY).expect("bytes are read");
        assert_eq!(rows.len(), 6, "{rows:?}");
        for row in rows {
            assert!(row.ok && row.cosine >= least, "{dtype:?}: {row:?}");
        }
    }
}

#[test]
fn a_kept_module_keeps_its_weights_and_an_unknown_one_is_an_error() {
    let full = compile(&net());
    let half = |patterns: &[&str]| Half { dtype: HalfType::F16, keep: keep(patterns), io: false };
    let mut model = full.clone();
    model.to_half(&half(&["conv2"])).expect("half precision");
    let weight = |name: &str| {
        let named = |value: &&selfie_export::ir::Value| value.name.as_deref() == Some(name) && value.constant.is_some();
        let used: Vec<_> = model.graph().nodes.iter().flat_map(|node| node.inputs.iter().flatten()).collect();
        used.into_iter().map(|id| model.graph().value(*id)).find(named).expect("the weight is there").dtype
    };
    assert_eq!((weight("conv1.weight"), weight("conv2.weight")), (ElementType::F16, ElementType::F32));
    let error = full.clone().to_half(&half(&["conv3"])).expect_err("no such module");
    assert!(matches!(&error, Error::Request(reason) if reason.contains("`conv3`")), "{error}");
}

#[test]
fn integers_run_in_onnxruntime_close_to_burn_and_layers_are_listed_by_error() {
    let Some(runtime) = onnxruntime() else { return };
    let net = net();
    let full = compile(&net);
    let cases = cases(&net, &full);
    let batches: Vec<_> = cases.iter().map(|case| case.inputs.clone()).collect();
    for calibration in [Calibration::MinMax, Calibration::Percentile(1e-4), Calibration::Entropy] {
        let mut model = full.clone();
        let int8 = Int8 { calibration, keep: Keep::default() };
        let report = model.to_int8(&int8, &runtime, &batches).expect("8-bit integers");
        assert_eq!(report.layers.len(), 3, "{report:?}");
        assert!(report.layers.is_sorted_by(|a, b| a.error >= b.error), "{report:?}");
        assert!(report.layers.iter().all(|layer| layer.error > 0.0 && layer.error < 0.2), "{report:?}");
        let rows = verify(&model.to_bytes().expect("bytes"), &cases, &[&runtime], ANY).expect("it loads");
        for row in rows {
            assert!(row.ok && row.cosine >= LEAST_COSINE_INT8, "{calibration:?}: {row:?}");
        }
        let weights = model.graph().values.iter().filter(|value| value.dtype == ElementType::I8);
        assert!(weights.filter(|value| value.shape.len() > 1).count() == 3, "{}", model.graph().dump());
    }
    let mut kept = full.clone();
    let int8 = Int8 { keep: keep(&["conv1"]), ..Int8::default() };
    let report = kept.to_int8(&int8, &runtime, &batches).expect("8-bit integers");
    assert_eq!((report.layers.len(), report.kept), (2, vec!["conv1/Conv".to_string()]));
}

#[test]
fn bad_calibration_inputs_are_errors_and_leave_the_model_as_it_was() {
    let full = compile(&net());
    let infinite = TensorData::new(vec![f32::INFINITY; 3 * 8 * 8], [1, 3, 8, 8]);
    let narrow = TensorData::new(vec![0.5f32; 3 * 8 * 4], [1, 3, 8, 4]);
    let all = [&["Conv", "Gemm"][..], &[]];
    /// Inputs, what is kept, and a part of the error.
    type Refusal<'a> = (&'a [Vec<TensorData>], &'a [&'a str], &'a str);
    let cases: [Refusal<'_>; 4] = [
        (&[], all[1], "no inputs"),
        (&[vec![infinite]], all[1], "has no scale"),
        (&[vec![]], all[1], "tract"),
        (&[vec![narrow]], all[0], "left to quantise"),
    ];
    for (batches, patterns, part) in cases {
        let mut model = full.clone();
        let int8 = Int8 { keep: keep(patterns), ..Int8::default() };
        let error = model.to_int8(&int8, &TractRunner, batches).expect_err(part).to_string();
        assert!(error.contains(part), "{part} is not in {error}");
        assert_eq!(model.to_bytes().expect("bytes"), full.to_bytes().expect("bytes"), "{part}");
    }
}

#[test]
fn bytes_with_channels_last_become_what_the_network_takes() {
    let net = net();
    let mut model = compile(&net);
    let affine = vec![(0.5 / 255.0, -0.5), (1.0 / 255.0, 0.0), (2.0 / 255.0, 0.25)];
    let prefix = Prefix { dtype: ElementType::U8, channels_last: true, affine: affine.clone() };
    model.prefix_input("x", &prefix).expect("the input takes a prefix");
    let input = &model.inputs()[0];
    assert_eq!(
        (input.name.as_str(), input.dtype, input.shape.join(" ").as_str()),
        ("x", ElementType::U8, "batch 8 8 3")
    );
    let case = |batch: usize| {
        let inputs = model.random_inputs(&[("batch", batch)], batch as u64).expect("random inputs");
        let bytes: Vec<f32> = inputs[0].iter::<f32>().collect();
        let floats = (0..bytes.len()).map(|index| {
            let (image, channel, pixel) = (index / 192, index / 64 % 3, index % 64);
            bytes[image * 192 + pixel * 3 + channel] * affine[channel].0 + affine[channel].1
        });
        let floats = TensorData::new(floats.collect::<Vec<_>>(), [batch, 3, 8, 8]);
        let expected = run_eager(&net, &Device::flex(), forward, vec![floats]).expect("Burn runs");
        Case::new(inputs, expected)
    };
    let cases = [1, 2, 7].map(case);
    let bytes = model.to_bytes().expect("bytes");
    for runner in crate::support::runners() {
        let rows = verify(&bytes, &cases, &[runner.as_ref()], crate::support::NETWORK).expect("it loads");
        assert!(rows.iter().all(|row| row.ok), "{rows:?}");
    }
}

#[test]
fn a_prefix_that_does_not_fit_is_refused() {
    let prefix = |channels| Prefix { dtype: ElementType::U8, channels_last: true, affine: vec![(1.0, 0.0); channels] };
    for (name, channels, part) in [("y", 3, "no such input"), ("x", 4, "4 channels")] {
        let error = compile(&net()).prefix_input(name, &prefix(channels)).expect_err(part).to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_written_file_reads_back_to_the_same_bytes() {
    let bytes = compile(&net()).to_bytes().expect("bytes");
    let read = Model::from_bytes(&bytes).expect("the file reads back");
    assert_eq!(read.to_bytes().expect("bytes"), bytes);
    assert_eq!(read.dynamic_axes(), ["batch"]);
    let error = Model::from_bytes(&bytes[..bytes.len() / 2]).expect_err("half a file");
    assert!(matches!(error, Error::Decode(_)), "{error}");
}

#[test]
fn half_precision_inputs_and_outputs_pass_python_s_checker() {
    let Some(python) = std::env::var_os("SELFIE_TEST_PYTHON") else {
        eprintln!("SKIPPED: SELFIE_TEST_PYTHON names no Python with onnx; ./check makes one");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut model = compile(&net());
    model.to_half(&Half { dtype: HalfType::F16, keep: Keep::default(), io: true }).expect("half precision");
    let specs = model.inputs().into_iter().chain(model.outputs());
    assert!(specs.into_iter().all(|spec| spec.dtype == ElementType::F16));
    let path = folder.path().join("half.onnx");
    model.save(&path).expect("the file is written");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/python/check_attributes.py");
    let output = std::process::Command::new(python).arg(script).arg(&path).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
