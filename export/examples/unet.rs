//! A U-Net for images of any size that its pools divide: `cargo run --release -p selfie-export --example unet`.

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use selfie_export::{Axis, Export, Result};

#[derive(Module, Debug)]
struct UNet {
    encoder: Conv2d,
    pool: MaxPool2d,
    bottom: Conv2d,
    up: ConvTranspose2d,
    decoder: Conv2d,
    head: Conv2d,
}

impl UNet {
    fn new(device: &Device) -> Self {
        let conv = |from, to| {
            let padding = PaddingConfig2d::Explicit(1, 1, 1, 1);
            Conv2dConfig::new([from, to], [3, 3]).with_padding(padding).init(device)
        };
        Self {
            encoder: conv(3, 16),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            bottom: conv(16, 32),
            up: ConvTranspose2dConfig::new([32, 16], [2, 2]).with_stride([2, 2]).init(device),
            decoder: conv(32, 16),
            head: Conv2dConfig::new([16, 2], [1, 1]).init(device),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let kept = relu(self.encoder.forward(x));
        let x = relu(self.bottom.forward(self.pool.forward(kept.clone())));
        let x = relu(self.decoder.forward(Tensor::cat(vec![kept, self.up.forward(x)], 1)));
        self.head.forward(x)
    }
}

fn main() -> Result<()> {
    let device = Device::flex();
    let unet = UNet::new(&device);

    // The module only takes even sizes, so it is recorded at some of them.
    let height = Axis::new(2, "height").sizes([32, 34, 40]);
    let width = Axis::new(3, "width").sizes([32, 36, 48]);
    let model = Export::new(&unet)
        .input("image", Tensor::<4>::zeros([2, 3, 32, 32], &device), [Axis::new(0, "batch"), height, width])
        .outputs(["masks"])
        .compile(UNet::forward)?;

    for row in model.verify(&unet, UNet::forward, &[&[("batch", 3), ("height", 18), ("width", 64)]])? {
        println!("{row}");
    }
    model.save("unet.onnx")
}
