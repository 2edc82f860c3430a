//! Dynamic sizes besides the batch.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::transformer::{TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput};
use burn::tensor::{Device, Int, Tensor};
use selfie_export::{Axis, Export};

use crate::support::{EXACT, NETWORK, Table, differences, differences_on, nothing, runners};

#[test]
fn an_encoder_follows_batch_and_length() {
    let device = Device::flex();
    let module: TransformerEncoder = TransformerEncoderConfig::new(16, 32, 4, 1).init(&device);
    let forward = |m: &TransformerEncoder, x: Tensor<3>| m.forward(TransformerEncoderInput::new(x));
    let model = Export::new(&module)
        .input("x", Tensor::<3>::zeros([2, 6, 16], &device), [(0, "batch"), (1, "length")])
        .outputs(["y"])
        .compile(forward);
    let sizes: &[&[(&str, usize)]] = &[&[("batch", 1), ("length", 1)], &[("batch", 3), ("length", 9)]];
    let mut table = Table::default();
    table.judge("encoder", model, |model| differences(&module, model, forward, sizes, NETWORK));
    table.finish();
}

#[test]
fn a_convolution_follows_the_size_of_the_image() {
    let device = Device::flex();
    let module: Conv2d = Conv2dConfig::new([3, 4], [3, 3]).with_stride([2, 2]).init(&device);
    let forward = |m: &Conv2d, x: Tensor<4>| m.forward(x).mean_dim(2).mean_dim(3);
    let model = Export::new(&module)
        .input("x", Tensor::<4>::zeros([2, 3, 16, 16], &device), [(0, "batch"), (2, "height"), (3, "width")])
        .outputs(["y"])
        .compile(forward);
    let sizes: &[&[(&str, usize)]] =
        &[&[("batch", 1), ("height", 5), ("width", 8)], &[("batch", 2), ("height", 12), ("width", 7)]];
    let mut table = Table::default();
    table.judge("convolution", model, |model| differences(&module, model, forward, sizes, EXACT));
    table.finish();
}

#[test]
fn patches_of_an_image_of_any_size_divide_by_the_patch() {
    let device = Device::flex();
    let module = nothing();
    let forward = |_: &burn::nn::Relu, x: Tensor<4>| {
        let [batch, channels, height, width] = x.dims();
        x.reshape([batch, channels, height / 4, 4, width / 4, 4]).permute([0, 2, 4, 1, 3, 5]).reshape([
            batch,
            (height / 4) * (width / 4),
            channels * 16,
        ])
    };
    let model = Export::new(&module)
        .input(
            "x",
            Tensor::<4>::zeros([2, 3, 8, 8], &device),
            [
                Axis::new(0, "batch"),
                Axis::new(2, "height").sizes([8, 12, 20]),
                Axis::new(3, "width").sizes([8, 12, 24]),
            ],
        )
        .outputs(["y"])
        .compile(forward);
    let sizes: &[&[(&str, usize)]] =
        &[&[("batch", 1), ("height", 4), ("width", 8)], &[("batch", 2), ("height", 12), ("width", 4)]];
    let mut table = Table::default();
    table.judge("patches", model, |model| differences(&module, model, forward, sizes, EXACT));
    table.finish();
}

#[test]
fn a_model_without_dynamic_axes_is_fixed() {
    let device = Device::flex();
    let module = nothing();
    let forward = |_: &burn::nn::Relu, (x, y): (Tensor<2>, Tensor<1>)| (x.clone().sum_dim(1), x, y.clone() + 1, y);
    let model = Export::new(&module)
        .fixed_input("x", Tensor::<2>::zeros([2, 3], &device))
        .fixed_input("y", Tensor::<1>::zeros([4], &device))
        .outputs(["sum", "same", "next", "again"])
        .compile(forward);
    let mut table = Table::default();
    table.judge("fixed", model, |model| {
        assert_eq!(model.inputs()[0].shape, ["2", "3"]);
        differences(&module, model, forward, &[&[]], EXACT)
    });
    table.finish();
}

#[test]
fn a_size_that_is_divided_and_rounded_down_is_not_taken_for_a_fixed_one() {
    let device = Device::flex();
    let module: Conv2d = Conv2dConfig::new([3, 4], [8, 8]).with_stride([8, 8]).init(&device);
    let forward = |m: &Conv2d, x: Tensor<4>| m.forward(x);
    let model = Export::new(&module)
        .input("x", Tensor::<4>::zeros([2, 3, 32, 32], &device), [(2, "height")])
        .outputs(["y"])
        .compile(forward);
    let mut table = Table::default();
    table.judge("patches", model, |model| {
        assert_eq!(model.outputs()[0].shape, ["2", "4", "?", "4"]);
        differences(&module, model, forward, &[&[("height", 24)], &[("height", 49)]], EXACT)
    });
    table.finish();
}

#[test]
fn constants_and_ramps_can_be_outputs() {
    let device = Device::flex();
    let module = nothing();
    let forward = |_: &burn::nn::Relu, x: Tensor<2>| {
        let (device, batch) = (x.device(), x.dims()[0] as i64);
        let primes = Tensor::<1, Int>::from_data([2, 3, 5, 7], &device);
        (
            Tensor::<1, Int>::arange(0..batch, &device),
            Tensor::<1, Int>::arange_step(1..2 * batch + 1, 2, &device),
            primes,
            x,
        )
    };
    let model = Export::new(&module)
        .input("x", Tensor::<2>::zeros([2, 3], &device), [(0, "batch")])
        .outputs(["rows", "odd", "primes", "same"])
        .compile(forward);
    let mut table = Table::default();
    table.judge("constants", model, |model| {
        assert_eq!(model.outputs()[0].shape, ["batch"]);
        differences(&module, model, forward, &[&[("batch", 1)], &[("batch", 4)], &[("batch", 9)]], EXACT)
    });
    table.finish();
}

#[test]
fn a_model_is_compared_with_its_module_in_one_call() {
    let device = Device::flex();
    let module: Conv2d = Conv2dConfig::new([3, 4], [3, 3]).init(&device);
    let forward = |m: &Conv2d, x: Tensor<4>| m.forward(x);
    let export = Export::new(&module).input("x", Tensor::<4>::zeros([2, 3, 8, 8], &device), [(0, "batch")]);
    let model = export.outputs(["y"]).compile(forward).expect("a convolution compiles");
    let rows = model.verify(&module, forward, &[&[("batch", 1)], &[("batch", 7)]]).expect("tract runs it");
    assert!(rows.len() >= 2 && rows.iter().all(|row| row.ok), "{rows:?}");
    let rows = model.verify(&module, |m: &Conv2d, x: Tensor<4>| m.forward(x) + 1, &[&[("batch", 1)]]);
    let rows = rows.expect("tract runs it");
    assert!(!rows[0].ok && rows[0].to_string().contains("too far"), "{}", rows[0]);
    let error = model.verify(&module, forward, &[&[]]).expect_err("an axis has no size").to_string();
    assert!(error.contains("no size is given for axis `batch`"), "{error}");
}

#[test]
fn a_size_of_zero_is_a_size_and_not_that_of_the_input() {
    let device = Device::flex();
    let module = nothing();
    let forward = |_: &burn::nn::Relu, x: Tensor<2>| {
        let [batch, _] = x.dims();
        (x.clone().slice([0..batch, 0..0]).flatten::<1>(0, 1).sum(), x)
    };
    let compile = |opset| {
        let export = Export::new(&module).opset(opset).without_passes();
        export
            .input("x", Tensor::<2>::zeros([2, 3], &device), [(0, "batch")])
            .outputs(["none", "same"])
            .compile(forward)
    };
    let mut table = Table::default();
    table.judge("nothing", compile(17), |model| {
        eprintln!("ONNX Runtime alone: tract divides by the size of what it sums");
        let others = runners().into_iter().filter(|runner| runner.name() != "tract").collect();
        differences_on(others, &module, model, forward, &[&[("batch", 1)], &[("batch", 5)]], EXACT)
    });
    table.finish();
    let refused = compile(13).map(|model| model.graph().dump()).expect_err("opset 13 has no size of zero").to_string();
    assert!(refused.contains("BaseFloat::Reshape") && refused.contains("from opset 14 on"), "{refused}");
}

#[test]
fn numbers_follow_the_sizes() {
    let device = Device::flex();
    let module = nothing();
    let forward = |_: &burn::nn::Relu, x: Tensor<2>| {
        let [batch, length] = x.dims();
        let (rows, columns) = (batch as f32, length as f32);
        (
            x.clone().sum_dim(1) / columns,
            x.clone().sum_dim(0) * (1.0 / (2.0 * rows)),
            x.clone() + (3 * length + 1) as i32,
            (x.clone() - columns / 2.0) * 0.5,
            (x * 10.0).int() + (batch + length) as i64,
        )
    };
    let model = Export::new(&module)
        .input("x", Tensor::<2>::zeros([2, 5], &device), [(0, "batch"), (1, "length")])
        .outputs(["mean", "half", "sum", "centred", "integers"])
        .compile(forward);
    let sizes: &[&[(&str, usize)]] = &[&[("batch", 1), ("length", 1)], &[("batch", 7), ("length", 33)]];
    let mut table = Table::default();
    table.judge("numbers", model, |model| differences(&module, model, forward, sizes, EXACT));
    table.finish();
}
