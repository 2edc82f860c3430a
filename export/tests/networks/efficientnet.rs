//! Two blocks of EfficientNet.
//!
//! # Source
//! Tan, Le 2019, EfficientNet: MBConv with squeeze and excite.

use burn::module::Module;
use burn::tensor::activation::{sigmoid, silu};
use burn::tensor::{Device, Tensor};

use crate::layers::{ConvNorm, SqueezeExcite};
use crate::network::{IMAGES, Network};

#[derive(Module, Debug)]
struct MbConv {
    expand: ConvNorm,
    depthwise: ConvNorm,
    squeeze: SqueezeExcite,
    project: ConvNorm,
    residual: bool,
}

impl MbConv {
    fn new(from: usize, to: usize, kernel: usize, stride: usize, device: &Device) -> Self {
        let width = from * 6;
        Self {
            expand: ConvNorm::new(from, width, 1, 1, device),
            depthwise: ConvNorm::depthwise(width, kernel, stride, device),
            squeeze: SqueezeExcite::new(width, device),
            project: ConvNorm::new(width, to, 1, 1, device),
            residual: stride == 1 && from == to,
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let y = silu(self.depthwise.forward(silu(self.expand.forward(x.clone()))));
        let y = self.project.forward(self.squeeze.forward(y, silu, sigmoid));
        if self.residual { x + y } else { y }
    }
}

pub fn efficientnet() -> Network {
    let device = Device::flex();
    let module = vec![MbConv::new(8, 12, 3, 2, &device), MbConv::new(12, 12, 5, 1, &device)];
    let example = Tensor::<4>::zeros([2, 8, 20, 20], &device);
    let axes = [(0, "batch"), (2, "height"), (3, "width")];
    Network::new(
        "EfficientNet blocks",
        module,
        |blocks: &Vec<MbConv>, x: Tensor<4>| blocks.iter().fold(x, |x, block| block.forward(x)),
        move |export| export.input("image", example.clone(), axes).outputs(["features"]),
        IMAGES,
    )
}
