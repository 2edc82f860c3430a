//! MobileNetV3: inverted residuals with squeeze and excite, and hard activations.
//!
//! # Source
//! Howard et al. 2019, searching for MobileNetV3, table 2, the first layers.

use burn::module::Module;
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::{hard_sigmoid, hard_swish, relu};
use burn::tensor::{Device, Tensor};

use crate::layers::{ConvNorm, SqueezeExcite};
use crate::network::{IMAGES, Network};

#[derive(Module, Debug)]
struct InvertedResidual {
    expand: ConvNorm,
    depthwise: ConvNorm,
    squeeze: Option<SqueezeExcite>,
    project: ConvNorm,
    hard_swish: bool,
    residual: bool,
}

/// Kernel, expanded width, output width, squeeze and excite, hard swish, stride.
type Row = (usize, usize, usize, bool, bool, usize);

impl InvertedResidual {
    fn new(from: usize, (kernel, width, to, squeeze, hard_swish, stride): Row, device: &Device) -> Self {
        Self {
            expand: ConvNorm::new(from, width, 1, 1, device),
            depthwise: ConvNorm::depthwise(width, kernel, stride, device),
            squeeze: squeeze.then(|| SqueezeExcite::new(width, device)),
            project: ConvNorm::new(width, to, 1, 1, device),
            hard_swish,
            residual: stride == 1 && from == to,
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let activation = if self.hard_swish { hard_swish } else { relu };
        let y = activation(self.depthwise.forward(activation(self.expand.forward(x.clone()))));
        let y = match &self.squeeze {
            Some(squeeze) => squeeze.forward(y, relu, |x| hard_sigmoid(x, 1.0 / 6.0, 0.5)),
            None => y,
        };
        let y = self.project.forward(y);
        if self.residual { x + y } else { y }
    }
}

#[derive(Module, Debug)]
struct MobileNet {
    stem: ConvNorm,
    blocks: Vec<InvertedResidual>,
    last: ConvNorm,
    average: AdaptiveAvgPool2d,
    dense: Linear,
    head: Linear,
}

impl MobileNet {
    fn forward(&self, x: Tensor<4>) -> Tensor<2> {
        let x = self.blocks.iter().fold(hard_swish(self.stem.forward(x)), |x, block| block.forward(x));
        let x = self.average.forward(hard_swish(self.last.forward(x)));
        self.head.forward(hard_swish(self.dense.forward(x.flatten(1, 3))))
    }
}

pub fn mobilenet() -> Network {
    let device = Device::flex();
    let rows: [Row; 5] = [
        (3, 16, 16, true, false, 2),
        (3, 72, 24, false, false, 2),
        (3, 88, 24, false, false, 1),
        (5, 96, 40, true, true, 2),
        (5, 240, 40, true, true, 1),
    ];
    let mut from = 16;
    let mut block = |row: Row| {
        let block = InvertedResidual::new(from, row, &device);
        from = row.2;
        block
    };
    let module = MobileNet {
        stem: ConvNorm::new(3, 16, 3, 2, &device),
        blocks: rows.into_iter().map(&mut block).collect(),
        last: ConvNorm::new(40, 64, 1, 1, &device),
        average: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
        dense: LinearConfig::new(64, 48).init(&device),
        head: LinearConfig::new(48, 10).init(&device),
    };
    let example = Tensor::<4>::zeros([2, 3, 40, 40], &device);
    let axes = [(0, "batch"), (2, "height"), (3, "width")];
    Network::new(
        "MobileNetV3",
        module,
        MobileNet::forward,
        move |export| export.input("image", example.clone(), axes).outputs(["logits"]),
        IMAGES,
    )
}
