//! VGG-11 at an eighth of its width.
//!
//! # Source
//! Simonyan, Zisserman 2014, very deep convolutional networks, configuration A.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::layers::same;
use crate::network::{BATCHES, Network};

/// The widths of the convolutions between two pools.
const STAGES: [&[usize]; 5] = [&[8], &[16], &[32, 32], &[64, 64], &[64, 64]];

#[derive(Module, Debug)]
struct Vgg {
    stages: Vec<Vec<Conv2d>>,
    pool: MaxPool2d,
    dropout: Dropout,
    dense: Linear,
    head: Linear,
}

impl Vgg {
    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let stage = |x, convs: &Vec<Conv2d>| convs.iter().fold(x, |x, conv| relu(conv.forward(x)));
        let x = self.stages.iter().fold(x, |x, convs| self.pool.forward(stage(x, convs)));
        let x = self.dropout.forward(relu(self.dense.forward(x.flatten(1, 3))));
        self.head.forward(x)
    }
}

pub fn vgg() -> Network {
    let device = Device::flex();
    let mut from = 3;
    let mut conv = |to: usize| {
        let conv = Conv2dConfig::new([from, to], [3, 3]).with_padding(same(3)).init(&device);
        from = to;
        conv
    };
    let module = Vgg {
        stages: STAGES.iter().map(|widths| widths.iter().map(|to| conv(*to)).collect()).collect(),
        pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
        dropout: DropoutConfig::new(0.5).init(),
        dense: LinearConfig::new(64, 64).init(&device),
        head: LinearConfig::new(64, 10).init(&device),
    };
    let example = Tensor::<4>::zeros([2, 3, 32, 32], &device);
    Network::new(
        "VGG-11",
        module,
        Vgg::forward,
        move |export| export.input("image", example.clone(), [(0, "batch")]).outputs(["logits"]),
        BATCHES,
    )
}
