//! A deformable convolution that finds its own offsets and weights.
//!
//! # Source
//! Zhu et al. 2018, deformable ConvNets v2.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, DeformConv2d, DeformConv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Tensor};

use crate::layers::same;
use crate::network::{Network, Sizes};

/// Small, for the reference evaluator of `onnx` takes every product by itself.
const SIZES: &[Sizes] = &[&[("batch", 4), ("height", 10), ("width", 5)], &[("batch", 1), ("height", 7), ("width", 4)]];

#[derive(Module, Debug)]
struct Deformable {
    stem: Conv2d,
    offset: Conv2d,
    mask: Conv2d,
    conv: DeformConv2d,
    norm: BatchNorm,
}

impl Deformable {
    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = relu(self.stem.forward(x));
        let (offset, mask) = (self.offset.forward(x.clone()), sigmoid(self.mask.forward(x.clone())));
        relu(self.norm.forward(self.conv.forward(x, offset, Some(mask))))
    }
}

pub fn deformable() -> Network {
    let device = Device::flex();
    let conv = |from, to| Conv2dConfig::new([from, to], [3, 3]).with_padding(same(3)).init(&device);
    let module = Deformable {
        stem: conv(3, 8),
        offset: conv(8, 18),
        mask: conv(8, 9),
        conv: DeformConv2dConfig::new([8, 8], [3, 3]).with_padding(same(3)).init(&device),
        norm: BatchNormConfig::new(8).init(&device),
    };
    let example = Tensor::<4>::zeros([2, 3, 12, 12], &device);
    let axes = [(0, "batch"), (2, "height"), (3, "width")];
    Network::new(
        "Deformable convolution",
        module,
        Deformable::forward,
        move |export| export.input("image", example.clone(), axes).outputs(["features"]),
        SIZES,
    )
    .beyond_tract(19, "it has no DeformConv")
}
