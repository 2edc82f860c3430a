//! LeNet-5.
//!
//! # Source
//! LeCun et al. 1998, gradient-based learning applied to document recognition.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};

use crate::layers::same;
use crate::network::{BATCHES, Network};

#[derive(Module, Debug)]
struct LeNet {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: AvgPool2d,
    dense: Vec<Linear>,
    head: Linear,
}

impl LeNet {
    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.pool.forward(self.conv1.forward(x).tanh());
        let x = self.pool.forward(self.conv2.forward(x).tanh());
        self.head.forward(self.dense.iter().fold(x.flatten(1, 3), |x, dense| dense.forward(x).tanh()))
    }
}

pub fn lenet() -> Network {
    let device = Device::flex();
    let linear = |from, to| LinearConfig::new(from, to).init(&device);
    let module = LeNet {
        conv1: Conv2dConfig::new([1, 6], [5, 5]).with_padding(same(5)).init(&device),
        conv2: Conv2dConfig::new([6, 16], [5, 5]).init(&device),
        pool: AvgPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
        dense: vec![linear(400, 120), linear(120, 84)],
        head: linear(84, 10),
    };
    let example = Tensor::<4>::zeros([2, 1, 28, 28], &device);
    Network::new(
        "LeNet",
        module,
        LeNet::forward,
        move |export| export.input("image", example.clone(), [(0, "batch")]).outputs(["logits"]),
        BATCHES,
    )
}
