//! Convolutional autoencoder.
//!
//! # Source
//! Masci et al. 2011, stacked convolutional auto-encoders.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::tensor::activation::{leaky_relu, sigmoid};
use burn::tensor::{Device, Tensor};
use selfie_export::Axis;

use crate::layers::same;
use crate::network::{IMAGES, Network};

#[derive(Module, Debug)]
struct Autoencoder {
    encoder: Vec<Conv2d>,
    decoder: Vec<ConvTranspose2d>,
}

impl Autoencoder {
    fn forward(&self, x: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let code = self.encoder.iter().fold(x, |x, conv| leaky_relu(conv.forward(x), 0.1));
        let image = self.decoder.iter().fold(code.clone(), |x, conv| conv.forward(leaky_relu(x, 0.1)));
        (code, sigmoid(image))
    }
}

pub fn autoencoder() -> Network {
    let device = Device::flex();
    let down = |from, to| Conv2dConfig::new([from, to], [3, 3]).with_stride([2, 2]).with_padding(same(3)).init(&device);
    let up = |from, to| {
        ConvTranspose2dConfig::new([from, to], [3, 3])
            .with_stride([2, 2])
            .with_padding([1, 1])
            .with_padding_out([1, 1])
            .init(&device)
    };
    let module = Autoencoder { encoder: vec![down(3, 8), down(8, 4)], decoder: vec![up(4, 8), up(8, 3)] };
    let example = Tensor::<4>::zeros([2, 3, 16, 16], &device);
    let axes =
        [Axis::new(0, "batch"), Axis::new(2, "height").sizes([16, 20, 28]), Axis::new(3, "width").sizes([16, 20, 28])];
    Network::new(
        "Autoencoder",
        module,
        Autoencoder::forward,
        move |export| export.input("image", example.clone(), axes.clone()).outputs(["code", "reconstruction"]),
        IMAGES,
    )
}
