//! Two images through one network, compared.
//!
//! # Source
//! Koch et al. 2015, Siamese neural networks for one-shot image recognition.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{CosineSimilarity, CosineSimilarityConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use crate::network::{BATCHES, Network, encoded};

#[derive(Module, Debug)]
struct Siamese {
    conv: Conv2d,
    pool: MaxPool2d,
    embed: Linear,
    similarity: CosineSimilarity,
}

impl Siamese {
    fn embedding(&self, x: Tensor<4>) -> Tensor<2> {
        self.embed.forward(self.pool.forward(relu(self.conv.forward(x))).flatten(1, 3))
    }

    fn forward(&self, (left, right): (Tensor<4>, Tensor<4>)) -> Tensor<1> {
        self.similarity.forward(self.embedding(left), self.embedding(right))
    }
}

pub fn siamese() -> Network {
    let device = Device::flex();
    let module = Siamese {
        conv: Conv2dConfig::new([1, 6], [5, 5]).init(&device),
        pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
        embed: LinearConfig::new(6 * 4 * 4, 10).init(&device),
        similarity: CosineSimilarityConfig::new().init(),
    };
    let example = Tensor::<4>::zeros([2, 1, 12, 12], &device);
    Network::new(
        "Siamese",
        module,
        Siamese::forward,
        move |export| {
            let export = export.input("left", example.clone(), [(0, "batch")]);
            export.input("right", example.clone(), [(0, "batch")]).outputs(["similarity"])
        },
        BATCHES,
    )
}

#[test]
fn shared_weights_are_written_once() {
    let weights = (6 * 25 + 6) + (6 * 4 * 4 * 10 + 10);
    let network = siamese();
    for model in [network.without_passes(), network.model(17)] {
        let found = selfie_export::inspect(&encoded(&model)).expect("our own file").parameters;
        assert!(found >= weights && found < weights + 10, "{found} numbers where the module has {weights}");
    }
}
