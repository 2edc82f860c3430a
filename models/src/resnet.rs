//! Bottleneck ResNet: the patch network P with three groups, the whole classifier backbone with four.
//!
//! Parameters carry torchvision's names (`conv1`, `bn1`, `layer1.0.conv1`, `layer1.0.downsample.0`), so that published
//! weights fit.

use crate::Error;
use crate::convolution::convolution;
use crate::feature_map::FeatureMap;
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// Channels of a block's output for every channel of its 3x3 convolution.
pub const EXPANSION: usize = 4;

/// Configuration of a [`ResNet`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResNetConfig {
    /// Channels of the image: 1, 3 or 4.
    pub channels: usize,
    /// First layers.
    pub stem: Stem,
    /// Order of convolution, batch normalisation and ReLU in a block.
    pub block: BlockKind,
    /// Channels of the stem and of the 3x3 convolutions of the first group; each group doubles them.
    pub width: usize,
    /// Blocks in each group; three groups for the patch network P, four for the classifier.
    pub depths: Vec<usize>,
}

impl Default for ResNetConfig {
    /// The first three groups of ResNet-50 for 32x32 images: the paper's P.
    fn default() -> Self {
        Self { channels: 3, stem: Stem::Small, block: BlockKind::PreActivation, width: 64, depths: vec![3, 4, 6] }
    }
}

/// First layers of a [`ResNet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stem {
    /// One 3x3 convolution of stride 1, for images of 32x32.
    Small,
    /// One 3x3 convolution of stride 2: a quarter of the work of `small`, for images of 32x32 on a slow machine.
    Strided,
    /// A 7x7 convolution of stride 2 and a 3x3 max-pooling of stride 2, for images of 224x224.
    Large,
}

/// Order of the layers in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockKind {
    /// Batch normalisation and ReLU before each convolution (v2, He et al. 2016, "Identity mappings"): the paper's kind.
    PreActivation,
    /// After each convolution, stride in the 3x3 one (v1.5): torchvision's kind.
    PostActivation,
}

/// Bottleneck ResNet without classification head.
#[derive(Module, Debug)]
pub struct ResNet {
    conv1: Conv2d,
    bn1: Option<BatchNorm>,
    maxpool: Option<MaxPool2d>,
    layer1: Vec<Bottleneck>,
    layer2: Vec<Bottleneck>,
    layer3: Vec<Bottleneck>,
    layer4: Vec<Bottleneck>,
    norm: Option<BatchNorm>,
}

/// Residual block of a 1x1, a 3x3 and a 1x1 convolution.
#[derive(Module, Debug)]
pub struct Bottleneck {
    conv1: Conv2d,
    bn1: BatchNorm,
    conv2: Conv2d,
    bn2: BatchNorm,
    conv3: Conv2d,
    bn3: BatchNorm,
    downsample: Option<(Conv2d, Option<BatchNorm>)>,
    pre_activation: bool,
}

impl ResNetConfig {
    /// Channels of the output.
    pub fn output_width(&self) -> usize {
        (self.width << (self.depths.len() - 1)) * EXPANSION
    }

    /// The same network with one more group of `depth` blocks.
    pub fn with_group(&self, depth: usize) -> Self {
        let mut config = self.clone();
        config.depths.push(depth);
        config
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// [`Error::Config`] names the field.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |reason: String| Err(Error::Config { reason });
        if ![1, 3, 4].contains(&self.channels) {
            return wrong(format!("resnet.channels is {}; 1, 3 and 4 are possible", self.channels));
        }
        if self.width == 0 {
            return wrong("resnet.width is 0; the paper has 64".into());
        }
        if !(3..=4).contains(&self.depths.len()) || self.depths.contains(&0) {
            let depths = &self.depths;
            return wrong(format!(
                "resnet.depths is {depths:?}; three or four groups of at least one block are possible"
            ));
        }
        Ok(())
    }

    /// Makes the network with fresh weights.
    pub fn init(&self, device: &Device) -> ResNet {
        let (kernel, stride, padding) = match self.stem {
            Stem::Small => (3, 1, 1),
            Stem::Strided => (3, 2, 1),
            Stem::Large => (7, 2, 3),
        };
        let post = self.block == BlockKind::PostActivation;
        let mut channels = self.width;
        let mut groups = self.depths.iter().enumerate().map(|(group, depth)| {
            let width = self.width << group;
            let stride = if group == 0 { 1 } else { 2 };
            let blocks = (0..*depth).map(|index| {
                let inputs = std::mem::replace(&mut channels, width * EXPANSION);
                Bottleneck::new(self.block, inputs, width, if index == 0 { stride } else { 1 }, device)
            });
            blocks.collect::<Vec<_>>()
        });
        let mut next = || groups.next().unwrap_or_default();
        ResNet {
            conv1: convolution([self.channels, self.width], kernel, stride, padding, device),
            bn1: post.then(|| BatchNormConfig::new(self.width).init(device)),
            maxpool: (self.stem == Stem::Large).then(|| {
                MaxPool2dConfig::new([3, 3])
                    .with_strides([2, 2])
                    .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                    .init()
            }),
            layer1: next(),
            layer2: next(),
            layer3: next(),
            layer4: next(),
            norm: (!post).then(|| BatchNormConfig::new(self.output_width()).init(device)),
        }
    }
}

impl ResNet {
    /// The feature map of an image.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]` → `[batch, output_width, rows, columns]`
    /// # Source
    /// He et al. 2015 (v1, with the stride of v1.5) and He et al. 2016 (v2).
    pub fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        self.forward_map(FeatureMap::new(images)).into_tensor()
    }

    fn forward_map(&self, images: FeatureMap) -> FeatureMap {
        let mut x = images.convolve(&self.conv1);
        if let Some(bn1) = &self.bn1 {
            x = x.norm_relu(bn1);
        }
        if let Some(maxpool) = &self.maxpool {
            x = x.max_pool(maxpool);
        }
        for block in [&self.layer1, &self.layer2, &self.layer3, &self.layer4].into_iter().flatten() {
            x = block.forward(x);
        }
        match &self.norm {
            Some(norm) => x.norm_relu(norm),
            None => x,
        }
    }

    /// The feature map averaged over its cells: one vector an image.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]` → `[batch, output_width]`
    pub fn forward_vector(&self, images: Tensor<4>) -> Tensor<2> {
        let x: Tensor<3> = self.forward(images).flatten(2, 3);
        x.mean_dim(2).squeeze_dim(2)
    }

    /// This network with the stem and the first three groups of `other`; the fourth group and the last normalisation stay.
    pub fn with_groups_of(self, other: &ResNet) -> Self {
        let norm = if self.layer4.is_empty() { other.norm.clone() } else { self.norm };
        Self {
            conv1: other.conv1.clone(),
            bn1: other.bn1.clone(),
            layer1: other.layer1.clone(),
            layer2: other.layer2.clone(),
            layer3: other.layer3.clone(),
            norm,
            ..self
        }
    }
}

impl Bottleneck {
    fn new(kind: BlockKind, inputs: usize, width: usize, stride: usize, device: &Device) -> Self {
        let outputs = width * EXPANSION;
        let pre_activation = kind == BlockKind::PreActivation;
        let norm = |channels: usize| BatchNormConfig::new(channels).init(device);
        Self {
            conv1: convolution([inputs, width], 1, 1, 0, device),
            bn1: norm(if pre_activation { inputs } else { width }),
            conv2: convolution([width, width], 3, stride, 1, device),
            bn2: norm(width),
            conv3: convolution([width, outputs], 1, 1, 0, device),
            bn3: norm(if pre_activation { width } else { outputs }),
            downsample: (stride != 1 || inputs != outputs).then(|| {
                let projection = convolution([inputs, outputs], 1, stride, 0, device);
                (projection, (!pre_activation).then(|| norm(outputs)))
            }),
            pre_activation,
        }
    }

    /// # Shapes
    /// - `x`: `[batch, inputs, height, width]` → `[batch, outputs, height / stride, width / stride]`
    fn forward(&self, x: FeatureMap) -> FeatureMap {
        if self.pre_activation { self.forward_pre_activation(x) } else { self.forward_post_activation(x) }
    }

    fn forward_pre_activation(&self, x: FeatureMap) -> FeatureMap {
        let (shortcut, y) = match &self.downsample {
            Some((projection, _)) => {
                let activated = x.norm_relu(&self.bn1);
                (activated.clone().convolve(projection), activated.convolve(&self.conv1))
            }
            None => (x.clone(), x.norm_relu_convolve(&self.bn1, &self.conv1)),
        };
        y.norm_relu_convolve(&self.bn2, &self.conv2).norm_relu_convolve(&self.bn3, &self.conv3) + shortcut
    }

    fn forward_post_activation(&self, x: FeatureMap) -> FeatureMap {
        let shortcut = match &self.downsample {
            Some((projection, Some(norm))) => x.clone().convolve(projection).norm(norm),
            Some((projection, None)) => x.clone().convolve(projection),
            None => x.clone(),
        };
        let y = x.convolve(&self.conv1).norm_relu_convolve(&self.bn1, &self.conv2);
        (y.norm_relu_convolve(&self.bn2, &self.conv3).norm(&self.bn3) + shortcut).relu()
    }
}

#[cfg(test)]
#[path = "resnet_tests.rs"]
mod tests;
