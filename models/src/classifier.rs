//! The fine-tuned network: the three groups of P, then a fourth group or attention pooling, then a linear layer.

use crate::Error;
use crate::pooling::{Attention, AttentionPooling, PoolingConfig, Projection, project};
use crate::resnet::{ResNet, ResNetConfig};
use crate::selfie::Selfie;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// Configuration of [`Classifier`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierConfig {
    /// Height and width of the image in pixels.
    pub image_size: [usize; 2],
    /// Classes.
    pub classes: usize,
    /// The first three groups, as in pretraining.
    pub resnet: ResNetConfig,
    /// What follows them.
    pub head: HeadConfig,
}

/// What follows the first three groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum HeadConfig {
    /// A new fourth group and average pooling: the paper's ResNet-50.
    FourthGroup {
        /// Blocks of the group.
        depth: usize,
    },
    /// Attention pooling as the last layer instead of the fourth group: the paper's variant.
    AttentionPooling(PoolingConfig),
}

/// What a [`Classifier`] gives for a batch of images.
#[derive(Clone, Debug)]
pub struct ClassifierOutput {
    /// The vectors, `[batch, embedding_width]`.
    pub embedding: Tensor<2>,
    /// The class scores before softmax, `[batch, classes]`.
    pub logits: Tensor<2>,
}

/// The fine-tuned network.
#[derive(Module, Debug)]
pub struct Classifier {
    /// Three groups, or four.
    pub resnet: ResNet,
    projection: Projection,
    pub(crate) pooling: Option<AttentionPooling>,
    pub(crate) fc: Linear,
}

impl ClassifierConfig {
    /// Length of the embedding.
    pub fn embedding_width(&self) -> usize {
        match &self.head {
            HeadConfig::FourthGroup { depth } => self.resnet.with_group(*depth).output_width(),
            HeadConfig::AttentionPooling(pooling) => pooling.resolved_width(self.resnet.output_width()),
        }
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// [`Error::Config`] names the field, what was found and what is possible.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |reason: String| Err(Error::Config { reason });
        if self.classes < 2 {
            return wrong(format!("classes is {}; at least 2 are needed", self.classes));
        }
        if self.image_size.contains(&0) {
            return wrong(format!("image_size is {:?}; both sides must be positive", self.image_size));
        }
        if self.resnet.depths.len() != 3 {
            return wrong(format!("resnet.depths is {:?}; the head adds the fourth group", self.resnet.depths));
        }
        self.resnet.check()?;
        match &self.head {
            HeadConfig::FourthGroup { depth: 0 } => wrong("head.fourth-group.depth is 0; ResNet-50 has 3".into()),
            HeadConfig::FourthGroup { .. } => Ok(()),
            HeadConfig::AttentionPooling(pooling) => pooling.check(self.resnet.output_width()),
        }
    }

    /// Makes the network with fresh weights.
    pub fn init(&self, device: &Device) -> Classifier {
        let features = self.resnet.output_width();
        let fc = LinearConfig::new(self.embedding_width(), self.classes).init(device);
        match &self.head {
            HeadConfig::FourthGroup { depth } => {
                let resnet = self.resnet.with_group(*depth).init(device);
                Classifier { resnet, projection: None, pooling: None, fc }
            }
            HeadConfig::AttentionPooling(pooling) => Classifier {
                resnet: self.resnet.init(device),
                projection: pooling.projection(features, device),
                pooling: Some(pooling.init(features, device)),
                fc,
            },
        }
    }
}

impl Classifier {
    /// The vector and the class scores of every image.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]` → `[batch, embedding_width]` and `[batch, classes]`
    /// # Source
    /// Trinh et al. 2019, section 3.
    pub fn forward(&self, images: Tensor<4>) -> ClassifierOutput {
        let embedding = match &self.pooling {
            None => self.resnet.forward_vector(images),
            Some(pooling) => pooling.forward(self.cells(self.resnet.forward(images))),
        };
        ClassifierOutput { logits: self.fc.forward(embedding.clone()), embedding }
    }

    /// Where u looks in an image; nothing without attention pooling.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`
    pub fn attention(&self, images: Tensor<4>) -> Option<Attention> {
        let pooling = self.pooling.as_ref()?;
        let map = self.resnet.forward(images);
        let [_, _, rows, columns] = map.dims();
        Some(Attention { weights: pooling.attention(self.cells(map)), grid: [rows, columns] })
    }

    /// The cells of a feature map as vectors of the pooling.
    ///
    /// # Shapes
    /// - `map`: `[batch, features, rows, columns]` → `[batch, rows * columns, width]`
    fn cells(&self, map: Tensor<4>) -> Tensor<3> {
        project(&self.projection, map.flatten::<3>(2, 3).swap_dims(1, 2))
    }

    /// This network with the three groups of a pretrained one, and its pooling where this network has one.
    pub fn start_from(self, selfie: &Selfie) -> Self {
        let (projection, pooling) = match self.pooling {
            Some(_) => (selfie.projection.clone(), Some(selfie.pooling.clone())),
            None => (self.projection, None),
        };
        Self { resnet: self.resnet.with_groups_of(&selfie.patch_network), projection, pooling, fc: self.fc }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resnet::{BlockKind, Stem};
    use crate::selfie::SelfieConfig;
    use burn::tensor::Distribution;

    fn heads() -> [HeadConfig; 3] {
        let pooling = PoolingConfig { layers: 1, heads: 2, feed_forward: 8, ..Default::default() };
        [
            HeadConfig::FourthGroup { depth: 1 },
            HeadConfig::AttentionPooling(pooling.clone()),
            HeadConfig::AttentionPooling(PoolingConfig { width: 6, ..pooling }),
        ]
    }

    fn config(head: HeadConfig) -> ClassifierConfig {
        let resnet = ResNetConfig { width: 2, depths: vec![1, 1, 1], ..Default::default() };
        ClassifierConfig { image_size: [32, 32], classes: 5, resnet, head }
    }

    #[test]
    fn every_head_stem_and_block_gives_the_declared_shapes() {
        let device = Device::flex();
        for head in heads() {
            for stem in [Stem::Small, Stem::Strided, Stem::Large] {
                for block in [BlockKind::PreActivation, BlockKind::PostActivation] {
                    let mut config = config(head.clone());
                    (config.resnet.stem, config.resnet.block) = (stem, block);
                    config.check().unwrap();
                    let images = Tensor::random([2, 3, 32, 32], Distribution::Default, &device);
                    let network = config.init(&device);
                    let output = network.forward(images.clone());
                    assert_eq!(output.embedding.dims(), [2, config.embedding_width()], "{config:?}");
                    assert_eq!(output.logits.dims(), [2, 5], "{config:?}");
                    let pooled = matches!(config.head, HeadConfig::AttentionPooling(_));
                    let attention = network.attention(images);
                    assert_eq!(attention.is_some(), pooled, "{config:?}");
                    if let Some(Attention { weights, grid: [rows, columns] }) = attention {
                        assert_eq!(weights.dims(), [2, 1, 2, 1 + rows * columns], "{config:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_pretrained_network_gives_its_groups() {
        let device = Device::flex();
        for head in heads() {
            let config = config(head);
            let mut pretraining = SelfieConfig { resnet: config.resnet.clone(), ..Default::default() };
            if let HeadConfig::AttentionPooling(pooling) = &config.head {
                pretraining.pooling = pooling.clone();
            } else {
                pretraining.pooling.heads = 2;
            }
            pretraining.check().unwrap();
            let selfie = pretraining.init(&device);
            let fresh = config.init(&device);
            let images: Tensor<4> = Tensor::random([1, 3, 32, 32], Distribution::Default, &device);
            let before = fresh.forward(images.clone()).embedding;
            let after = fresh.start_from(&selfie).forward(images).embedding;
            assert_ne!(before.into_data(), after.into_data(), "{config:?}");
        }
    }

    #[test]
    fn wrong_configurations_are_refused_with_the_field() {
        type Spoil = fn(&mut ClassifierConfig);
        let cases: [(Spoil, &str); 4] = [
            (|config| config.classes = 1, "classes is 1"),
            (|config| config.image_size = [0, 32], "image_size"),
            (|config| config.resnet.depths = vec![1; 4], "resnet.depths"),
            (|config| config.head = HeadConfig::FourthGroup { depth: 0 }, "fourth-group"),
        ];
        for (spoil, expected) in cases {
            let mut config = config(HeadConfig::FourthGroup { depth: 1 });
            spoil(&mut config);
            let message = config.check().unwrap_err().to_string();
            assert!(message.contains(expected), "{message:?} does not say {expected:?}");
        }
    }
}
