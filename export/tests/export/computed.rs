//! Sizes and numbers that a graph computes from the sizes of its inputs: quotients, products, limits, positions.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Embedding, EmbeddingConfig, PaddingConfig2d, Relu};
use burn::tensor::module::{adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d, interpolate};
use burn::tensor::ops::{InterpolateMode, InterpolateOptions, PadMode};
use burn::tensor::{Device, Int, Tensor, s};
use selfie_export::{Axis, Error, Export, Model, Outputs};

use crate::support::{EXACT, NETWORK, Table, cases, differences, nothing};
use crate::weights::drawn;

type Sizes = &'static [&'static [(&'static str, usize)]];

const LENGTHS: Sizes =
    &[&[("batch", 1), ("length", 2)], &[("batch", 3), ("length", 9)], &[("batch", 2), ("length", 20)]];
const IMAGES: Sizes = &[
    &[("batch", 1), ("height", 11), ("width", 8)],
    &[("batch", 2), ("height", 34), ("width", 17)],
    &[("batch", 1), ("height", 13), ("width", 40)],
];

/// Compiles a function of `[batch, length]` at every opset, and compares it at other lengths.
fn along<O: Outputs>(table: &mut Table, name: &str, forward: impl Fn(Tensor<2>) -> O) {
    let module = nothing();
    let wrapped = |_: &Relu, x: Tensor<2>| forward(x);
    let example = || Tensor::<2>::zeros([2, 5], &Device::flex());
    let names: Vec<String> = (0..forward(example()).into_tensors().len()).map(|index| format!("y{index}")).collect();
    let compile = |opset| {
        let export = Export::new(&module).opset(opset).input("x", example(), [(0, "batch"), (1, "length")]);
        export.outputs(names.clone()).compile(wrapped)
    };
    table.sized(13, name, LENGTHS, compile, |model, sizes| cases(&module, model, wrapped, sizes));
}

fn positions(x: &Tensor<2>) -> Tensor<1, Int> {
    Tensor::arange(0..x.dims()[1] as i64, &x.device())
}

#[test]
fn sizes_are_divided_rounded_down_and_multiplied() {
    let mut table = Table::default();
    along(&mut table, "halves", |x| {
        let length = x.dims()[1];
        let half = length / 2;
        (x.clone().narrow(1, 0, half), x.narrow(1, half, length - half))
    });
    along(&mut table, "chunks", |x| {
        let mut chunks = x.chunk(2, 1);
        (chunks.remove(0), chunks.remove(0))
    });
    along(&mut table, "a quantile", |x| {
        let quarter = (x.dims()[1] - 1) / 4;
        (x.clone().median(1), x.sort(1).narrow(1, quarter, 1))
    });
    along(&mut table, "the next multiple of four", |x| {
        let missing = (4 - x.dims()[1] % 4) % 4;
        x.pad([(0, missing)], PadMode::Constant(0.5))
    });
    along(&mut table, "positions of all numbers", |x| {
        let [batch, length] = x.dims();
        let all = Tensor::<1, Int>::arange(0..(batch * length) as i64, &x.device());
        (all.clone(), x.reshape([batch * length]) / (batch * length) as f32 + all.float())
    });
    table.finish();
}

#[test]
fn numbers_of_every_operation_follow_the_sizes() {
    let mut table = Table::default();
    along(&mut table, "limits", |x| {
        let length = x.dims()[1];
        let place = ((x.clone() + 1.0) * (length as f32 / 2.0)).floor().int();
        (place.clamp(0, length as i64 - 1), x.clone().clamp_max(1.0 / length as f64), x.clamp_min(-0.3))
    });
    along(&mut table, "comparisons", |x| {
        let length = x.dims()[1] as i64;
        let last = positions(&x).equal_elem(length - 1).unsqueeze::<2>();
        let late = positions(&x).greater_equal_elem(length / 2).unsqueeze::<2>();
        (x.clone().mask_fill(last.expand(x.dims()), length as f32), x.clone().mask_fill(late.expand(x.dims()), 0.0))
    });
    along(&mut table, "rows and columns", |x| {
        let [batch, length] = x.dims();
        let flat = x.reshape([1, batch * length]).argmax(1);
        (flat.clone() / length as i64, flat.remainder_scalar(length as i64))
    });
    along(&mut table, "filled", |x| {
        let [batch, length] = x.dims();
        (
            Tensor::<2>::full([batch, 1], length as f32, &x.device()),
            x.pad([(0, 1)], PadMode::Constant(1.0 / length as f32)),
        )
    });
    along(&mut table, "functions", |x| {
        let length = x.dims()[1] as f32;
        (x.clone() / length.sqrt(), x.clone() * length.ln(), x * (1.0 / (length + 1.0).sqrt()))
    });
    along(&mut table, "steps", |x| {
        let (length, device) = (x.dims()[1], x.device());
        let even: Vec<f32> = (0..length).map(|at| at as f32 / length as f32).collect();
        let pair = Tensor::<2>::from_data([[length as f32]], &device);
        (x + Tensor::<1>::from_floats(even.as_slice(), &device).reshape([1, length]), pair)
    });
    table.finish();
}

/// A pyramid of features, each as large as the one below it.
fn pyramid(levels: &[Conv2d], x: Tensor<4>, mode: &InterpolateMode) -> (Tensor<4>, Tensor<4>) {
    let fine = levels[0].forward(x);
    let middle = levels[1].forward(fine.clone());
    let coarse = levels[2].forward(middle.clone());
    let onto = |x: Tensor<4>, like: &Tensor<4>| {
        let [_, _, height, width] = like.dims();
        interpolate(x, InterpolateOptions::new(mode.clone()).with_output_size([height, width])) + like.clone()
    };
    let middle = onto(coarse, &middle);
    (onto(middle.clone(), &fine), middle)
}

#[test]
fn features_grow_to_the_size_of_others_at_every_size_of_the_image() {
    let convolution = |channels| {
        let config = Conv2dConfig::new([channels, 4], [3, 3]).with_stride([2, 2]);
        config.with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1)).init(&Device::flex())
    };
    let levels = drawn(vec![convolution(3), convolution(4), convolution(4)]);
    let axes = [(0, "batch"), (2, "height"), (3, "width")];
    let mut table = Table::default();
    for mode in [InterpolateMode::Bilinear, InterpolateMode::Bicubic] {
        let forward = |levels: &Vec<Conv2d>, x: Tensor<4>| pyramid(levels, x, &mode);
        let example = Tensor::<4>::zeros([2, 3, 20, 28], &Device::flex());
        let model = Export::new(&levels).input("x", example, axes).outputs(["fine", "middle"]).compile(forward);
        table.judge(&format!("{mode:?}"), model, |model| differences(&levels, model, forward, IMAGES, NETWORK));
    }
    table.finish();
}

fn pooled(model: Result<Model, Error>, name: &str, table: &mut Table, forward: impl Fn(&Relu, Tensor<4>) -> Tensor<4>) {
    table.judge(name, model, |model| differences(&nothing(), model, forward, IMAGES, EXACT));
}

#[test]
fn adaptive_pools_take_images_of_any_size() {
    let (device, module) = (Device::flex(), nothing());
    let mut table = Table::default();
    let example = || Tensor::<4>::zeros([2, 3, 9, 12], &device);
    let axes = [(0, "batch"), (2, "height"), (3, "width")];
    let forward = |_: &Relu, x: Tensor<4>| adaptive_avg_pool2d(x, [3, 5]);
    for opset in [13, 17, 24] {
        let export = Export::new(&module).opset(opset).input("x", example(), axes).outputs(["y"]);
        pooled(export.compile(forward), &format!("two axes at opset {opset}"), &mut table, forward);
    }
    let halved = |_: &Relu, x: Tensor<4>| {
        let [_, _, height, _] = x.dims();
        adaptive_avg_pool2d(x, [height / 2, 1])
    };
    let model = Export::new(&module).input("x", example(), axes).outputs(["y"]).compile(halved);
    pooled(model, "half the height", &mut table, halved);
    let others =
        |_: &Relu, (x, v): (Tensor<3>, Tensor<5>)| (adaptive_avg_pool1d(x, 4), adaptive_avg_pool3d(v, [2, 3, 2]));
    let model = Export::new(&module)
        .input("x", Tensor::<3>::zeros([2, 3, 7], &device), [(0, "batch"), (2, "length")])
        .input("v", Tensor::<5>::zeros([2, 3, 5, 7, 4], &device), [(0, "batch"), (3, "length")])
        .outputs(["line", "volume"])
        .compile(others);
    table.judge("a line and a volume", model, |model| differences(&module, model, others, LENGTHS, EXACT));
    table.finish();
}

#[test]
fn integers_of_the_inputs_meet_those_that_the_module_makes() {
    let device = Device::flex();
    let module = drawn(EmbeddingConfig::new(8, 3).init(&device));
    let forward = |module: &Embedding, (ids, lengths): (Tensor<2, Int>, Tensor<1, Int>)| {
        let [batch, length] = ids.dims();
        let place = Tensor::<1, Int>::arange(0..length as i64, &ids.device()).unsqueeze::<2>().expand([batch, length]);
        let inside = place.clone().lower(lengths.unsqueeze_dim::<2>(1).expand([batch, length]));
        let kept = module
            .forward(ids.clone() + place.remainder_scalar(4))
            .mask_fill(inside.unsqueeze_dim::<3>(2).bool_not().expand([batch, length, 3]), 0.0);
        (kept, ids.argmax(1))
    };
    let model = Export::new(&module)
        .input("ids", Tensor::<2, Int>::zeros([2, 5], &device), [(0, "batch"), (1, "length")])
        .input("lengths", Tensor::<1, Int>::zeros([2], &device), [(0, "batch")])
        .outputs(["kept", "largest"])
        .compile(forward);
    let mut table = Table::default();
    table.judge("lengths", model, |model| differences(&module, model, forward, LENGTHS, EXACT));
    table.finish();
}

#[test]
fn a_module_that_reads_numbers_is_refused_with_the_way_out() {
    type Forward = fn(&Relu, Tensor<2, Int>) -> Tensor<3, Int>;
    let device = Device::flex();
    let compile = |forward: Forward| {
        let example = Tensor::<2, Int>::zeros([2, 5], &device);
        Export::new(&nothing()).input("x", example, [(0, "batch")]).outputs(["y"]).compile(forward)
    };
    let cases: [(&str, Forward); 3] = [
        ("one hot", |_, x| x.one_hot::<3>(4)),
        ("one hot of an input without a check", |_, x| x.one_hot_fill::<3>(4, 1.0, 0.0, -1)),
        ("a choice", |_, x| {
            let first: i64 = x.clone().slice(s![0..1, 0..1]).into_scalar();
            if first > 0 { x.clone().unsqueeze_dim(2) } else { (x + 1).unsqueeze_dim(2) }
        }),
    ];
    for (name, forward) in cases {
        let found = compile(forward).map(|model| model.graph().dump());
        let error = found.expect_err(name).to_string();
        assert!(error.contains("reads the numbers of a tensor") && error.contains("arange"), "{name}: {error}");
    }
    let way_out: Forward = |_, x| {
        let classes = Tensor::<1, Int>::arange(0..4, &x.device()).reshape([1, 1, 4]);
        let [rows, columns] = x.dims();
        x.unsqueeze_dim::<3>(2).expand([rows, columns, 4]).equal(classes.expand([rows, columns, 4])).int()
    };
    let sizes: Sizes = &[&[("batch", 1)], &[("batch", 4)]];
    let mut table = Table::default();
    table.judge("the way out", compile(way_out), |model| differences(&nothing(), model, way_out, sizes, EXACT));
    table.finish();
}

#[test]
fn a_quotient_that_stays_the_same_at_small_sizes_is_seen() {
    let (device, module) = (Device::flex(), nothing());
    let forward = |_: &Relu, x: Tensor<2>| {
        let [batch, length] = x.dims();
        let groups = length / 8;
        x.narrow(1, 0, groups * 8).reshape([batch, groups, 8]).sum_dim(1) / groups as f32
    };
    let example = Tensor::<2>::zeros([2, 8], &device);
    let axes = [Axis::new(0, "batch"), Axis::new(1, "length")];
    let model = Export::new(&module).input("x", example, axes).outputs(["y"]).compile(forward);
    let sizes: Sizes =
        &[&[("batch", 1), ("length", 9)], &[("batch", 3), ("length", 31)], &[("batch", 2), ("length", 64)]];
    let mut table = Table::default();
    table.judge("groups of eight", model, |model| differences(&module, model, forward, sizes, EXACT));
    table.finish();
}
