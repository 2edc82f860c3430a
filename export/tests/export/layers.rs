//! Every lowered layer operation over a table of attributes: Burn's numbers are those of every runtime.

use burn::module::{Module, Param, RunningState};
use burn::nn::attention::{MhaInput, MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::conv::{Conv1dConfig, Conv2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Embedding, EmbeddingConfig, LayerNormConfig, LinearConfig, PaddingConfig2d,
};
use burn::tensor::module::{adaptive_avg_pool2d, attention, avg_pool2d, max_pool2d};
use burn::tensor::ops::{AttentionModuleOptions, AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Bool, Device, Distribution, Int, Tensor};

use crate::support::{BATCHES, EXACT, Table, cases, differences, export, nothing, tables};

tables!(
    convolutions,
    pools,
    norms_and_linear_layers,
    attention_with_every_option,
    multi_head_attention_with_a_padding_mask,
    embeddings_read_rows,
    inputs_of_one_byte_become_floats,
    weights_that_are_drawn_late_are_drawn_once,
);

fn convolutions(table: &mut Table) {
    let device = Device::flex();
    let cases = [
        ([1, 1], [1, 1], [0, 0, 0, 0], [1, 1], 1, true),
        ([3, 3], [1, 1], [1, 1, 1, 1], [1, 1], 1, false),
        ([3, 3], [2, 2], [1, 1, 1, 1], [1, 1], 1, true),
        ([3, 2], [2, 1], [1, 0, 1, 0], [1, 2], 1, true),
        ([3, 3], [1, 1], [2, 2, 2, 2], [2, 2], 2, true),
        ([5, 5], [1, 1], [2, 2, 2, 2], [1, 1], 4, false),
    ];
    for (kernel, stride, [top, left, bottom, right], dilation, groups, bias) in cases {
        let layer = Conv2dConfig::new([4, 8], kernel)
            .with_stride(stride)
            .with_padding(PaddingConfig2d::Explicit(top, left, bottom, right))
            .with_dilation(dilation)
            .with_groups(groups)
            .with_bias(bias)
            .init(&device);
        let name = format!("kernel {kernel:?} stride {stride:?} dilation {dilation:?} groups {groups} bias {bias}");
        table.layer(&name, &layer, [2, 4, 9, 8], |layer, x| layer.forward(x));
    }
    let layer = Conv2dConfig::new([4, 8], [3, 3]).with_padding(PaddingConfig2d::Same).init(&device);
    table.layer("same padding", &layer, [2, 4, 9, 8], |layer, x| layer.forward(x));
    let layer = Conv2dConfig::new([4, 8], [3, 3]).with_padding(PaddingConfig2d::Explicit(0, 1, 2, 1)).init(&device);
    table.layer("uneven padding", &layer, [2, 4, 9, 8], |layer, x| layer.forward(x));
    let layer = Conv1dConfig::new(4, 8, 3).with_stride(2).init(&device);
    table.layer("one dimension", &layer, [2, 4, 9], |layer, x| layer.forward(x));
}

fn pools(table: &mut Table) {
    for (kernel, stride, padding, dilation, ceil) in [
        ([2, 2], [2, 2], [0, 0], [1, 1], false),
        ([3, 3], [2, 2], [1, 1], [1, 1], false),
        ([3, 2], [1, 2], [1, 0], [1, 1], true),
        ([3, 3], [2, 2], [1, 1], [1, 1], true),
        ([2, 2], [1, 1], [0, 0], [2, 2], false),
    ] {
        let name = format!("max {kernel:?} {stride:?} {padding:?} {dilation:?} ceil {ceil}");
        table.case(&name, [2, 3, 9, 8], move |x: Tensor<4>| {
            let padding = padding.map(|size| (size, size));
            max_pool2d(x, MaxPoolOptions { kernel_size: kernel, stride, padding, dilation, ceil_mode: ceil })
        });
    }
    for (kernel, stride, padding, counted, ceil) in [
        ([2, 2], [2, 2], [0, 0], true, false),
        ([3, 3], [2, 2], [1, 1], true, false),
        ([3, 3], [2, 2], [1, 1], false, false),
        ([3, 3], [2, 2], [1, 1], false, true),
        ([4, 2], [3, 2], [0, 0], true, true),
        // Windows that are cut off, that end with the pads, that are left out, and that stop before the end.
        ([3, 3], [2, 2], [1, 1], true, true),
        ([4, 3], [2, 1], [2, 1], true, true),
        ([2, 2], [2, 3], [1, 1], true, true),
        ([2, 2], [3, 4], [1, 1], true, true),
    ] {
        let name = format!("average {kernel:?} {stride:?} {padding:?} counted {counted} ceil {ceil}");
        table.case(&name, [2, 3, 9, 8], move |x: Tensor<4>| {
            let padding = padding.map(|size| (size, size));
            let options =
                AvgPoolOptions { kernel_size: kernel, stride, padding, count_include_pad: counted, ceil_mode: ceil };
            avg_pool2d(x, options)
        });
    }
    for size in [[1, 1], [3, 4], [9, 8], [2, 3], [4, 1]] {
        let name = format!("adaptive {size:?}");
        table.case(&name, [2, 3, 9, 8], move |x: Tensor<4>| adaptive_avg_pool2d(x, size));
    }
}

fn batch_norm(device: &Device) -> BatchNorm {
    let draw = |low, high| Tensor::<1>::random([4], Distribution::Uniform(low, high), device);
    BatchNorm {
        gamma: Param::from_tensor(draw(0.5, 1.5)),
        beta: Param::from_tensor(draw(-0.5, 0.5)),
        running_mean: RunningState::new(draw(-0.5, 0.5)),
        running_var: RunningState::new(draw(0.5, 2.0)),
        ..BatchNormConfig::new(4).with_epsilon(1e-3).init(device)
    }
}

fn norms_and_linear_layers(table: &mut Table) {
    let device = Device::flex();
    let norm = batch_norm(&device);
    table.layer("batch norm of rank 2", &norm, [2, 4], |norm, x: Tensor<2>| norm.forward(x));
    table.layer("batch norm of rank 3", &norm, [2, 4, 5], |norm, x: Tensor<3>| norm.forward(x));
    table.layer("batch norm of rank 4", &norm, [2, 4, 5, 3], |norm, x: Tensor<4>| norm.forward(x));
    for bias in [true, false] {
        let norm = LayerNormConfig::new(6).with_bias(bias).init(&device);
        table.layer("layer norm of rank 2", &norm, [2, 6], |norm, x: Tensor<2>| norm.forward(x));
        table.layer("layer norm of rank 3", &norm, [2, 3, 6], |norm, x: Tensor<3>| norm.forward(x));
        let linear = LinearConfig::new(6, 5).with_bias(bias).init(&device);
        table.layer("linear of rank 2", &linear, [2, 6], |linear, x: Tensor<2>| linear.forward(x));
        table.layer("linear of rank 3", &linear, [2, 3, 6], |linear, x: Tensor<3>| linear.forward(x));
        table.layer("linear of rank 4", &linear, [2, 3, 2, 6], |linear, x: Tensor<4>| linear.forward(x));
    }
}

fn attention_with_every_option(table: &mut Table) {
    let options = [
        ("plain", AttentionModuleOptions::default()),
        ("scale", AttentionModuleOptions { scale: Some(0.3), ..Default::default() }),
        ("softcap", AttentionModuleOptions { softcap: Some(0.5), ..Default::default() }),
        ("causal", AttentionModuleOptions { is_causal: true, ..Default::default() }),
    ];
    for (name, options) in options {
        table.case(name, [2, 3, 4, 6], move |x: Tensor<4>| {
            let (key, value) = (x.clone().tanh(), x.clone().exp());
            attention(x.clone(), key.clone(), value.clone(), None, None, options)
        });
        table.case(&format!("{name} with mask and bias"), [2, 3, 4, 6], move |x: Tensor<4>| {
            let (key, value) = (x.clone().tanh(), x.clone().exp());
            let scores = x.clone().matmul(key.clone().swap_dims(2, 3));
            let mask: Tensor<4, Bool> = scores.clone().greater_elem(0.2);
            attention(x, key, value, Some(mask), Some(scores), options)
        });
    }
    table.case("rows without a visible position", [2, 3, 4, 6], |x: Tensor<4>| {
        let scores = x.clone().matmul(x.clone().swap_dims(2, 3));
        let hidden: Tensor<4, Bool> = scores.greater_elem(-1e9);
        attention(x.clone(), x.clone(), x, Some(hidden), None, AttentionModuleOptions::default())
    });
}

fn multi_head_attention_with_a_padding_mask(table: &mut Table) {
    let device = Device::flex();
    let module: MultiHeadAttention = MultiHeadAttentionConfig::new(8, 2).init(&device);
    let forward = |module: &MultiHeadAttention, (x, pad): (Tensor<3>, Tensor<2, Bool>)| {
        module.forward(MhaInput::self_attn(x).mask_pad(pad)).context
    };
    let model = export(&module)
        .input("x", Tensor::<3>::zeros([2, 5, 8], &device), [(0, "batch"), (1, "length")])
        .input("pad", Tensor::<2, Int>::zeros([2, 5], &device).equal_elem(1), [(0, "batch"), (1, "length")])
        .outputs(["context"])
        .compile(forward);
    let sizes: &[&[(&str, usize)]] =
        &[&[("batch", 1), ("length", 1)], &[("batch", 3), ("length", 5)], &[("batch", 2), ("length", 11)]];
    table.judge("padded", model, |model| differences(&module, model, forward, sizes, EXACT));
}

fn embeddings_read_rows(table: &mut Table) {
    let device = Device::flex();
    let module: Embedding = EmbeddingConfig::new(5, 3).init(&device);
    let forward = |module: &Embedding, x: Tensor<2, Int>| module.forward(x);
    let ids = Tensor::<2, Int>::zeros([2, 4], &device);
    let compile =
        |opset| export(&module).opset(opset).input("ids", ids.clone(), [(0, "batch")]).outputs(["y"]).compile(forward);
    table.sized(13, "embedding", BATCHES, compile, |model, sizes| cases(&module, model, forward, sizes));
}

fn inputs_of_one_byte_become_floats(table: &mut Table) {
    let device = Device::flex();
    let module = nothing();
    let forward = |_: &burn::nn::Relu, x: Tensor<4, Int>| x.permute([0, 3, 1, 2]).float() / 255;
    let pixels = Tensor::<4, Int>::zeros([1, 4, 4, 3], (&device, burn::tensor::DType::U8));
    let model = export(&module).input("pixels", pixels, [(0, "batch")]).outputs(["y"]).compile(forward);
    table.judge("bytes", model, |model| {
        assert_eq!(model.inputs()[0].dtype, selfie_export::ir::ElementType::U8);
        differences(&module, model, forward, BATCHES, EXACT)
    });
}

fn weights_that_are_drawn_late_are_drawn_once(table: &mut Table) {
    #[derive(Module, Debug)]
    struct Lazy {
        linear: burn::nn::Linear,
    }
    let device = Device::flex();
    let module = Lazy { linear: LinearConfig::new(6, 5).init(&device) };
    table.layer("lazy", &module, [2, 6], |module, x: Tensor<2>| module.linear.forward(x));
}
