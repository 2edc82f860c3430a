//! WaveNet: gated dilated convolutions whose parts all reach the end.
//!
//! # Source
//! van den Oord et al. 2016, WaveNet, section 2.4.

use burn::module::Module;
use burn::nn::PaddingConfig1d;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::tensor::activation::{relu, sigmoid, softmax};
use burn::tensor::{Device, Tensor};

use crate::network::{Network, SEQUENCES};

const WIDTH: usize = 8;

#[derive(Module, Debug)]
struct Layer {
    filter_and_gate: Conv1d,
    residual: Conv1d,
    skip: Conv1d,
}

impl Layer {
    fn new(dilation: usize, device: &Device) -> Self {
        let pointwise = || Conv1dConfig::new(WIDTH, WIDTH, 1).init(device);
        Self {
            filter_and_gate: Conv1dConfig::new(WIDTH, 2 * WIDTH, 2)
                .with_dilation(dilation)
                .with_padding(PaddingConfig1d::Explicit(dilation, 0))
                .init(device),
            residual: pointwise(),
            skip: pointwise(),
        }
    }

    fn forward(&self, x: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
        let both = self.filter_and_gate.forward(x.clone()).chunk(2, 1);
        let gated = both[0].clone().tanh() * sigmoid(both[1].clone());
        (x + self.residual.forward(gated.clone()), self.skip.forward(gated))
    }
}

#[derive(Module, Debug)]
struct WaveNet {
    stem: Conv1d,
    layers: Vec<Layer>,
    head: Vec<Conv1d>,
}

impl WaveNet {
    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let mut x = self.stem.forward(x);
        let mut skips = Vec::new();
        for layer in &self.layers {
            let (next, skip) = layer.forward(x);
            x = next;
            skips.push(skip);
        }
        let sum = skips.into_iter().fold(x.zeros_like(), |sum, skip| sum + skip);
        softmax(self.head.iter().fold(sum, |x, conv| conv.forward(relu(x))), 1)
    }
}

pub fn wavenet() -> Network {
    let device = Device::flex();
    let module = WaveNet {
        stem: Conv1dConfig::new(1, WIDTH, 1).init(&device),
        layers: [1, 2, 4, 8].map(|dilation| Layer::new(dilation, &device)).into(),
        head: [WIDTH, 16].map(|to| Conv1dConfig::new(WIDTH, to, 1).init(&device)).into(),
    };
    let example = Tensor::<3>::zeros([2, 1, 10], &device);
    let axes = [(0, "batch"), (2, "length")];
    Network::new(
        "WaveNet",
        module,
        WaveNet::forward,
        move |export| export.input("wave", example.clone(), axes).outputs(["probabilities"]),
        SEQUENCES,
    )
}
