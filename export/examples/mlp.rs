//! A multilayer perceptron: `cargo run --release -p selfie-export --example mlp`.

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::{Device, Tensor};
use selfie_export::{Export, Result};

#[derive(Module, Debug)]
struct Mlp {
    hidden: Linear,
    norm: BatchNorm,
    head: Linear,
}

impl Mlp {
    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        softmax(self.head.forward(relu(self.norm.forward(self.hidden.forward(x)))), 1)
    }
}

fn main() -> Result<()> {
    let device = Device::flex();
    let mlp = Mlp {
        hidden: LinearConfig::new(784, 128).init(&device),
        norm: BatchNormConfig::new(128).init(&device),
        head: LinearConfig::new(128, 10).init(&device),
    };

    let model = Export::new(&mlp)
        .input("pixels", Tensor::<2>::zeros([2, 784], &device), [(0, "batch")])
        .outputs(["probabilities"])
        .compile(Mlp::forward)?;

    // The normalisation has gone into the layer before it.
    println!("{}", model.graph().dump());
    for row in model.verify(&mlp, Mlp::forward, &[&[("batch", 1)], &[("batch", 64)]])? {
        println!("{row}");
    }
    model.save("mlp.onnx")
}
