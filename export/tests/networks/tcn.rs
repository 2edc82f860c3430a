//! Temporal convolutional network: causal, dilated, residual.
//!
//! # Source
//! Bai et al. 2018, an empirical evaluation of generic convolutional and recurrent networks for sequence modeling.

use burn::module::Module;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig1d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::network::{Network, SEQUENCES};

#[derive(Module, Debug)]
struct Block {
    first: Conv1d,
    norm: BatchNorm,
    second: Conv1d,
    shortcut: Option<Conv1d>,
}

impl Block {
    fn new(from: usize, to: usize, dilation: usize, device: &Device) -> Self {
        let causal = |from| {
            Conv1dConfig::new(from, to, 3)
                .with_dilation(dilation)
                .with_padding(PaddingConfig1d::Explicit(2 * dilation, 0))
                .init(device)
        };
        Self {
            first: causal(from),
            norm: BatchNormConfig::new(to).init(device),
            second: causal(to),
            shortcut: (from != to).then(|| Conv1dConfig::new(from, to, 1).init(device)),
        }
    }

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let y = relu(self.second.forward(relu(self.norm.forward(self.first.forward(x.clone())))));
        relu(y + self.shortcut.as_ref().map_or(x.clone(), |shortcut| shortcut.forward(x)))
    }
}

pub fn tcn() -> Network {
    let device = Device::flex();
    let module = vec![Block::new(4, 12, 1, &device), Block::new(12, 12, 2, &device), Block::new(12, 12, 4, &device)];
    let example = Tensor::<3>::zeros([2, 4, 10], &device);
    let axes = [(0, "batch"), (2, "length")];
    Network::new(
        "TCN",
        module,
        |blocks: &Vec<Block>, x: Tensor<3>| blocks.iter().fold(x, |x, block| block.forward(x)),
        move |export| export.input("series", example.clone(), axes).outputs(["features"]),
        SEQUENCES,
    )
}
