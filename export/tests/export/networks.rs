//! Whole networks built from Burn's layers: Burn's numbers are those of every runtime, at several batch sizes.

use crate::support::{BATCHES, NETWORK, differences};
use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::transformer::{TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, PaddingConfig2d, Relu};
use burn::tensor::{Device, Distribution, Tensor};
use selfie_export::{Export, Model};

fn operators(model: &Model) -> Vec<&str> {
    model.graph().nodes.iter().map(|node| node.op.as_str()).collect()
}

fn trained(norm: BatchNorm, device: &Device) -> BatchNorm {
    let [channels] = norm.gamma.dims();
    let draw = |low, high| Tensor::<1>::random([channels], Distribution::Uniform(low, high), device);
    BatchNorm {
        gamma: Param::from_tensor(draw(0.5, 1.5)),
        beta: Param::from_tensor(draw(-0.5, 0.5)),
        running_mean: burn::module::RunningState::new(draw(-0.5, 0.5)),
        running_var: burn::module::RunningState::new(draw(0.5, 2.0)),
        ..norm
    }
}

#[derive(Module, Debug)]
struct Cnn {
    conv1: Conv2d,
    bn1: BatchNorm,
    pool: MaxPool2d,
    conv2: Conv2d,
    bn2: BatchNorm,
    average: AdaptiveAvgPool2d,
    head: Linear,
}

impl Cnn {
    fn new(device: &Device) -> Self {
        Self {
            conv1: Conv2dConfig::new([3, 8], [3, 3]).with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1)).init(device),
            bn1: trained(BatchNormConfig::new(8).init(device), device),
            pool: MaxPool2dConfig::new([3, 3])
                .with_strides([2, 2])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(),
            conv2: Conv2dConfig::new([8, 16], [3, 3]).with_stride([2, 2]).with_bias(false).init(device),
            bn2: trained(BatchNormConfig::new(16).init(device), device),
            average: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
            head: LinearConfig::new(16, 5).init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> (Tensor<2>, Tensor<2>) {
        let x = Relu::new().forward(self.bn1.forward(self.conv1.forward(x)));
        let x = Relu::new().forward(self.bn2.forward(self.conv2.forward(self.pool.forward(x))));
        let embedding: Tensor<2> = self.average.forward(x).flatten(1, 3);
        (embedding.clone(), self.head.forward(embedding))
    }
}

fn cnn(device: &Device) -> (Cnn, Model) {
    let module = Cnn::new(device);
    let model = Export::new(&module)
        .input("pixel_values", Tensor::<4>::zeros([2, 3, 16, 16], device), [(0, "batch")])
        .outputs(["embedding", "logits"])
        .compile(|module: &Cnn, x: Tensor<4>| module.forward(x))
        .expect("the network compiles");
    (module, model)
}

#[test]
fn a_cnn_gives_the_numbers_of_burn() {
    let (module, model) = cnn(&Device::flex());
    let wrong = differences(&module, &model, |m: &Cnn, x: Tensor<4>| m.forward(x), BATCHES, NETWORK);
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), model.graph().dump());
}

#[test]
fn batch_norms_fuse_and_names_are_module_paths() {
    let (_, model) = cnn(&Device::flex());
    assert_eq!(
        operators(&model),
        ["Conv", "Relu", "MaxPool", "Conv", "Relu", "GlobalAveragePool", "Reshape", "Gemm"],
        "{}\n{}",
        model.report(),
        model.graph().dump()
    );
    let names: Vec<_> = model.graph().values.iter().filter_map(|value| value.name.as_deref()).collect();
    for expected in ["conv1.weight", "conv1.bias", "conv2.weight", "conv2.bias", "head.weight", "head.bias"] {
        assert!(names.contains(&expected), "{expected} is missing in {names:?}");
    }
}

/// A residual block with the normalisation first, as pre-activation ResNets have it.
#[derive(Module, Debug)]
struct Residual {
    stem: Conv2d,
    bn1: BatchNorm,
    conv1: Conv2d,
    bn2: BatchNorm,
    conv2: Conv2d,
}

impl Residual {
    fn new(device: &Device) -> Self {
        let conv = |from, to| {
            Conv2dConfig::new([from, to], [3, 3])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .with_bias(false)
                .init(device)
        };
        let norm = || trained(BatchNormConfig::new(8).init(device), device);
        Self { stem: conv(3, 8), bn1: norm(), conv1: conv(8, 8), bn2: norm(), conv2: conv(8, 8) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = self.stem.forward(x);
        let h = self.conv1.forward(Relu::new().forward(self.bn1.forward(x.clone())));
        x + self.conv2.forward(Relu::new().forward(self.bn2.forward(h)))
    }
}

#[test]
fn a_pre_activation_block_keeps_the_norm_it_cannot_fuse() {
    let device = Device::flex();
    let module = Residual::new(&device);
    let forward = |m: &Residual, x: Tensor<4>| m.forward(x);
    let model = Export::new(&module)
        .input("x", Tensor::<4>::zeros([2, 3, 8, 8], &device), [(0, "batch")])
        .outputs(["y"])
        .compile(forward)
        .expect("the block compiles");
    let wrong = differences(&module, &model, forward, BATCHES, NETWORK);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The stem feeds the sum too, so bn1 stays; conv1 feeds bn2 alone, so bn2 goes.
    assert_eq!(
        operators(&model),
        ["Conv", "BatchNormalization", "Relu", "Conv", "Relu", "Conv", "Add"],
        "{}",
        model.report()
    );
    let fuse = model.report().passes.iter().find(|summary| summary.pass == "fuse_batch_norm").expect("the pass");
    assert_eq!(fuse.fired.len(), 1, "{fuse:?}");
    assert!(fuse.reason.as_deref().is_some_and(|reason| reason.contains("another reader")), "{fuse:?}");
}

/// Patches through a small network, a learned token in front, attention over all of them, and one row back.
#[derive(Module, Debug)]
struct Patches {
    embed: Linear,
    token: Param<Tensor<3>>,
    position: Param<Tensor<3>>,
    encoder: TransformerEncoder,
    head: Linear,
}

const GRID: usize = 2;
const PATCH: usize = 4;
const WIDTH: usize = 16;

impl Patches {
    fn new(device: &Device, norm_first: bool) -> Self {
        let draw =
            |shape: [usize; 3]| Param::from_tensor(Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), device));
        Self {
            embed: LinearConfig::new(3 * PATCH * PATCH, WIDTH).init(device),
            token: draw([1, 1, WIDTH]),
            position: draw([1, GRID * GRID + 1, WIDTH]),
            encoder: TransformerEncoderConfig::new(WIDTH, 32, 4, 2).with_norm_first(norm_first).init(device),
            head: LinearConfig::new(WIDTH, 5).init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> (Tensor<2>, Tensor<2>, Tensor<4>) {
        let [batch, channels, _, _] = x.dims();
        let patches = x.reshape([batch, channels, GRID, PATCH, GRID, PATCH]).permute([0, 2, 4, 1, 3, 5]).reshape([
            batch * GRID * GRID,
            channels,
            PATCH,
            PATCH,
        ]);
        let flat: Tensor<2> = patches.clone().flatten(1, 3);
        let h = self.embed.forward(flat).reshape([batch, GRID * GRID, WIDTH]);
        let token = self.token.val().repeat_dim(0, batch);
        let position = self.position.val().expand([batch, GRID * GRID + 1, WIDTH]);
        let h = Tensor::cat(vec![token, h], 1) + position;
        let h = self.encoder.forward(TransformerEncoderInput::new(h));
        let pooled: Tensor<2> = h.clone().slice([0..batch, 0..1, 0..WIDTH]).squeeze_dim(1);
        let logits = self.head.forward(pooled.clone());
        (pooled, logits, patches)
    }
}

#[test]
fn patches_token_and_encoder_follow_a_dynamic_batch() {
    let device = Device::flex();
    for norm_first in [false, true] {
        let module = Patches::new(&device, norm_first);
        let forward = |m: &Patches, x: Tensor<4>| m.forward(x);
        let model = Export::new(&module)
            .input("pixel_values", Tensor::<4>::zeros([1, 3, GRID * PATCH, GRID * PATCH], &device), [(0, "batch")])
            .outputs(["embedding", "logits", "patches"])
            .compile(forward)
            .expect("the network compiles");
        let wrong = differences(&module, &model, forward, BATCHES, NETWORK);
        assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), model.graph().dump());
        let sizes = operators(&model).iter().filter(|op| **op == "Shape").count();
        assert_eq!(sizes, 1, "only the token needs the batch size:\n{}", model.graph().dump());
        let names: Vec<_> = model.graph().values.iter().filter_map(|value| value.name.as_deref()).collect();
        for expected in
            ["token", "position", "encoder.layers.0.mha.query.weight", "encoder.layers.1.pwff.linear_inner.weight"]
        {
            assert!(names.contains(&expected), "{expected} is missing in {names:?}");
        }
    }
}

#[test]
fn the_module_is_as_before_after_an_export() {
    let device = Device::flex();
    let (module, _) = cnn(&device);
    assert_eq!(module.devices(), vec![device.clone()]);
    let x = Tensor::<4>::ones([2, 3, 16, 16], &device);
    let before = module.forward(x.clone()).1.into_data();
    cnn_again(&module, &device);
    assert_eq!(module.forward(x).1.into_data(), before);
    assert_eq!(module.devices(), vec![device]);
}

fn cnn_again(module: &Cnn, device: &Device) {
    Export::new(module)
        .input("x", Tensor::<4>::zeros([2, 3, 16, 16], device), [(0, "batch")])
        .outputs(["a", "b"])
        .compile(|module: &Cnn, x: Tensor<4>| module.forward(x))
        .expect("the network compiles");
}
