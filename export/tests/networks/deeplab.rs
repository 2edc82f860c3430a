//! The head of DeepLabV3 on a small backbone: dilated convolutions, the mean of the image, and interpolation.
//!
//! # Source
//! Chen et al. 2017, rethinking atrous convolution for semantic image segmentation.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::interpolate::{Interpolate2d, Interpolate2dConfig, InterpolateMode};
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::module::interpolate;
use burn::tensor::ops::{InterpolateMode as Mode, InterpolateOptions};
use burn::tensor::{Device, Tensor};
use selfie_export::Axis;

use crate::layers::ConvNorm;
use crate::network::{IMAGES, Network};

#[derive(Module, Debug)]
struct DeepLab {
    backbone: Vec<ConvNorm>,
    narrow: ConvNorm,
    dilated: Vec<Conv2d>,
    norm: BatchNorm,
    pool: AdaptiveAvgPool2d,
    pooled: ConvNorm,
    project: ConvNorm,
    head: Conv2d,
    enlarge: Interpolate2d,
}

impl DeepLab {
    fn new(device: &Device) -> Self {
        let dilated = |dilation: usize| {
            Conv2dConfig::new([16, 8], [3, 3])
                .with_dilation([dilation, dilation])
                .with_padding(PaddingConfig2d::Explicit(dilation, dilation, dilation, dilation))
                .init(device)
        };
        Self {
            backbone: vec![ConvNorm::new(3, 8, 3, 2, device), ConvNorm::new(8, 16, 3, 2, device)],
            narrow: ConvNorm::new(16, 8, 1, 1, device),
            dilated: [2, 3, 4].map(dilated).into(),
            norm: BatchNormConfig::new(24).init(device),
            pool: AdaptiveAvgPool2dConfig::new([1, 1]).init(),
            pooled: ConvNorm::new(16, 8, 1, 1, device),
            project: ConvNorm::new(40, 16, 1, 1, device),
            head: Conv2dConfig::new([16, 4], [1, 1]).init(device),
            enlarge: Interpolate2dConfig::new()
                .with_scale_factor(Some([4.0, 4.0]))
                .with_mode(InterpolateMode::Linear)
                .with_align_corners(false)
                .init(),
        }
    }

    fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = self.backbone.iter().fold(x, |x, conv| conv.rectified(x));
        let [_, _, height, width] = x.dims();
        let dilated: Vec<Tensor<4>> = self.dilated.iter().map(|conv| conv.forward(x.clone())).collect();
        let mean = self.pooled.rectified(self.pool.forward(x.clone()));
        let options = InterpolateOptions::new(Mode::Bilinear).with_align_corners(false);
        let mean = interpolate(mean, options.with_output_size([height, width]));
        let dilated = relu(self.norm.forward(Tensor::cat(dilated, 1)));
        let x = self.project.rectified(Tensor::cat(vec![self.narrow.rectified(x), dilated, mean], 1));
        self.enlarge.forward(self.head.forward(x))
    }
}

pub fn deeplab() -> Network {
    let device = Device::flex();
    let module = DeepLab::new(&device);
    let example = Tensor::<4>::zeros([2, 3, 16, 16], &device);
    let axes =
        [Axis::new(0, "batch"), Axis::new(2, "height").sizes([16, 20, 28]), Axis::new(3, "width").sizes([16, 20, 28])];
    Network::new(
        "DeepLab head",
        module,
        DeepLab::forward,
        move |export| export.input("image", example.clone(), axes.clone()).outputs(["masks"]),
        IMAGES,
    )
}
