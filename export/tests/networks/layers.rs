//! Layers that several networks share.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

/// A convolution and its normalisation.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Conv2d,
    norm: BatchNorm,
}

impl ConvNorm {
    /// A dense convolution that keeps the size at stride 1.
    pub fn new(from: usize, to: usize, kernel: usize, stride: usize, device: &Device) -> Self {
        Self::grouped(from, to, kernel, stride, 1, device)
    }

    /// A convolution of every channel on its own.
    pub fn depthwise(channels: usize, kernel: usize, stride: usize, device: &Device) -> Self {
        Self::grouped(channels, channels, kernel, stride, channels, device)
    }

    fn grouped(from: usize, to: usize, kernel: usize, stride: usize, groups: usize, device: &Device) -> Self {
        let conv = Conv2dConfig::new([from, to], [kernel, kernel])
            .with_stride([stride, stride])
            .with_groups(groups)
            .with_padding(same(kernel))
            .with_bias(false)
            .init(device);
        Self { conv, norm: BatchNormConfig::new(to).init(device) }
    }

    /// The convolution, normalised.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.conv.forward(x))
    }

    /// The same, rectified.
    pub fn rectified(&self, x: Tensor<4>) -> Tensor<4> {
        relu(self.forward(x))
    }
}

/// Scales every channel by what the whole image says.
#[derive(Module, Debug)]
pub struct SqueezeExcite {
    pool: AdaptiveAvgPool2d,
    reduce: Conv2d,
    expand: Conv2d,
}

impl SqueezeExcite {
    /// A quarter of the channels between the two convolutions.
    pub fn new(channels: usize, device: &Device) -> Self {
        let conv = |from, to| Conv2dConfig::new([from, to], [1, 1]).init(device);
        let pool = AdaptiveAvgPool2dConfig::new([1, 1]).init();
        Self { pool, reduce: conv(channels, channels / 4), expand: conv(channels / 4, channels) }
    }

    /// Scales with the activation and the gate of the network it is part of.
    pub fn forward(
        &self,
        x: Tensor<4>,
        activation: fn(Tensor<4>) -> Tensor<4>,
        gate: fn(Tensor<4>) -> Tensor<4>,
    ) -> Tensor<4> {
        let scale = activation(self.reduce.forward(self.pool.forward(x.clone())));
        x * gate(self.expand.forward(scale))
    }
}

/// The padding that keeps the size at stride 1.
pub fn same(kernel: usize) -> PaddingConfig2d {
    let half = kernel / 2;
    PaddingConfig2d::Explicit(half, half, half, half)
}
