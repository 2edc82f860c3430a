//! A detector without anchors: the best places of the image, and their boxes.
//!
//! # Source
//! Zhou et al. 2019, objects as points, with a top-k in place of non-maximum suppression.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Int, Tensor};

use crate::layers::ConvNorm;
use crate::network::{Network, Sizes};

/// Up to 64 places, beyond which the reference evaluator of `onnx` gathers nothing.
const SIZES: &[Sizes] =
    &[&[("batch", 1), ("height", 24), ("width", 32)], &[("batch", 4), ("height", 36), ("width", 28)]];

/// How many boxes an image has.
const BOXES: usize = 5;

#[derive(Module, Debug)]
struct Detector {
    backbone: Vec<ConvNorm>,
    classes: Conv2d,
    boxes: Conv2d,
}

impl Detector {
    fn forward(&self, x: Tensor<4>) -> (Tensor<3>, Tensor<2>, Tensor<2, Int>) {
        let x = self.backbone.iter().fold(x, |x, conv| conv.rectified(x));
        let classes: Tensor<3> = sigmoid(self.classes.forward(x.clone())).flatten(2, 3);
        let boxes: Tensor<3> = self.boxes.forward(x).flatten(2, 3);
        let (scores, labels) = classes.max_dim_with_indices(1);
        let (scores, places) = scores.squeeze_dim::<2>(1).topk_with_indices(BOXES, 1);
        let labels = labels.squeeze_dim::<2>(1).gather(1, places.clone());
        let places: Tensor<3, Int> = places.unsqueeze_dim::<3>(1).repeat_dim(1, 4);
        (boxes.gather(2, places).swap_dims(1, 2), scores, labels)
    }
}

pub fn detector() -> Network {
    let device = Device::flex();
    let conv = |to| Conv2dConfig::new([16, to], [1, 1]).init(&device);
    let module = Detector {
        backbone: vec![ConvNorm::new(3, 8, 3, 2, &device), ConvNorm::new(8, 16, 3, 2, &device)],
        classes: conv(6),
        boxes: conv(4),
    };
    let example = Tensor::<4>::zeros([2, 3, 20, 20], &device);
    let axes = [(0, "batch"), (2, "height"), (3, "width")];
    Network::new(
        "Detector",
        module,
        Detector::forward,
        move |export| export.input("image", example.clone(), axes).outputs(["boxes", "scores", "labels"]),
        SIZES,
    )
}
