//! Multilayer perceptron.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::{gelu, log_softmax};
use burn::tensor::{Device, Tensor};

use crate::network::{BATCHES, Network};

#[derive(Module, Debug)]
struct Mlp {
    first: Linear,
    norm: BatchNorm,
    dropout: Dropout,
    second: Linear,
    head: Linear,
}

impl Mlp {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = gelu(self.norm.forward(self.first.forward(x)));
        let x = gelu(self.second.forward(self.dropout.forward(x)));
        log_softmax(self.head.forward(x), 1)
    }
}

pub fn mlp() -> Network {
    let device = Device::flex();
    let linear = |from, to| LinearConfig::new(from, to).init(&device);
    let module = Mlp {
        first: linear(12, 32),
        norm: BatchNormConfig::new(32).init(&device),
        dropout: DropoutConfig::new(0.5).init(),
        second: linear(32, 16),
        head: linear(16, 5),
    };
    let example = Tensor::<2>::zeros([2, 12], &device);
    Network::new(
        "MLP",
        module,
        Mlp::forward,
        move |export| export.input("features", example.clone(), [(0, "batch")]).outputs(["logits"]),
        BATCHES,
    )
}
