//! ConvNeXt: depthwise convolutions and a perceptron over the channels.
//!
//! # Source
//! Liu et al. 2022, a ConvNet for the 2020s.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::gelu;
use burn::tensor::{Device, Tensor};
use selfie_export::Axis;

use crate::layers::same;
use crate::network::{IMAGES, Network};

#[derive(Module, Debug)]
struct Block {
    depthwise: Conv2d,
    norm: LayerNorm,
    widen: Linear,
    narrow: Linear,
    scale: Param<Tensor<1>>,
}

impl Block {
    fn new(width: usize, device: &Device) -> Self {
        Self {
            depthwise: Conv2dConfig::new([width, width], [7, 7]).with_groups(width).with_padding(same(7)).init(device),
            norm: LayerNormConfig::new(width).init(device),
            widen: LinearConfig::new(width, 4 * width).init(device),
            narrow: LinearConfig::new(4 * width, width).init(device),
            scale: Param::from_tensor(Tensor::zeros([width], device)),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = self.norm.forward(self.depthwise.forward(x.clone()).permute([0, 2, 3, 1]));
        let y = self.narrow.forward(gelu(self.widen.forward(y))) * self.scale.val().unsqueeze();
        x + y.permute([0, 3, 1, 2])
    }
}

/// A normalisation of the channels, which are the second axis.
fn channels_first(norm: &LayerNorm, x: Tensor<4>) -> Tensor<4> {
    norm.forward(x.permute([0, 2, 3, 1])).permute([0, 3, 1, 2])
}

#[derive(Module, Debug)]
struct ConvNext {
    stem: Conv2d,
    stem_norm: LayerNorm,
    first: Vec<Block>,
    down_norm: LayerNorm,
    down: Conv2d,
    second: Vec<Block>,
    norm: LayerNorm,
    head: Linear,
}

impl ConvNext {
    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = channels_first(&self.stem_norm, self.stem.forward(x));
        let x = self.first.iter().fold(x, |x, block| block.forward(x));
        let x = self.down.forward(channels_first(&self.down_norm, x));
        let x = self.second.iter().fold(x, |x, block| block.forward(x));
        let x: Tensor<2> = x.mean_dim(2).mean_dim(3).flatten(1, 3);
        self.head.forward(self.norm.forward(x))
    }
}

pub fn convnext() -> Network {
    let device = Device::flex();
    let norm = |width| LayerNormConfig::new(width).with_epsilon(1e-6).init(&device);
    let conv = |from, to, size| Conv2dConfig::new([from, to], [size, size]).with_stride([size, size]).init(&device);
    let module = ConvNext {
        stem: conv(3, 12, 4),
        stem_norm: norm(12),
        first: vec![Block::new(12, &device), Block::new(12, &device)],
        down_norm: norm(12),
        down: conv(12, 24, 2),
        second: vec![Block::new(24, &device)],
        norm: norm(24),
        head: LinearConfig::new(24, 10).init(&device),
    };
    let example = Tensor::<4>::zeros([2, 3, 16, 16], &device);
    let axes =
        [Axis::new(0, "batch"), Axis::new(2, "height").sizes([16, 24, 40]), Axis::new(3, "width").sizes([16, 40, 64])];
    Network::new(
        "ConvNeXt",
        module,
        ConvNext::forward,
        move |export| export.input("image", example.clone(), axes.clone()).outputs(["logits"]),
        IMAGES,
    )
}
