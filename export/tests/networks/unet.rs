//! U-Net with transposed convolutions.
//!
//! # Source
//! Ronneberger et al. 2015, U-Net.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::{Device, Tensor};
use selfie_export::Axis;

use crate::layers::ConvNorm;
use crate::network::{IMAGES, Network};

#[derive(Module, Debug)]
struct Twice {
    first: ConvNorm,
    second: ConvNorm,
}

impl Twice {
    fn new(from: usize, to: usize, device: &Device) -> Self {
        Self { first: ConvNorm::new(from, to, 3, 1, device), second: ConvNorm::new(to, to, 3, 1, device) }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.second.rectified(self.first.rectified(x))
    }
}

#[derive(Module, Debug)]
struct Up {
    up: ConvTranspose2d,
    twice: Twice,
}

#[derive(Module, Debug)]
struct UNet {
    down: Vec<Twice>,
    pool: MaxPool2d,
    bottom: Twice,
    up: Vec<Up>,
    head: Conv2d,
}

impl UNet {
    fn new(device: &Device) -> Self {
        let up = |from: usize, to: usize| Up {
            up: ConvTranspose2dConfig::new([from, to], [2, 2]).with_stride([2, 2]).init(device),
            twice: Twice::new(2 * to, to, device),
        };
        Self {
            down: vec![Twice::new(3, 8, device), Twice::new(8, 16, device)],
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            bottom: Twice::new(16, 32, device),
            up: vec![up(32, 16), up(16, 8)],
            head: Conv2dConfig::new([8, 2], [1, 1]).init(device),
        }
    }

    fn forward(&self, mut x: Tensor<4>) -> Tensor<4> {
        let mut skipped = Vec::new();
        for down in &self.down {
            let kept = down.forward(x);
            x = self.pool.forward(kept.clone());
            skipped.push(kept);
        }
        x = self.bottom.forward(x);
        for (up, kept) in self.up.iter().zip(skipped.into_iter().rev()) {
            x = up.twice.forward(Tensor::cat(vec![kept, up.up.forward(x)], 1));
        }
        self.head.forward(x)
    }
}

pub fn unet() -> Network {
    let device = Device::flex();
    let module = UNet::new(&device);
    let example = Tensor::<4>::zeros([2, 3, 16, 16], &device);
    let axes =
        [Axis::new(0, "batch"), Axis::new(2, "height").sizes([16, 20, 28]), Axis::new(3, "width").sizes([16, 20, 28])];
    Network::new(
        "U-Net",
        module,
        UNet::forward,
        move |export| export.input("image", example.clone(), axes.clone()).outputs(["masks"]),
        IMAGES,
    )
}
