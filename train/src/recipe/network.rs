//! The network part of a recipe: a preset and what differs from it.

use crate::data::Dataset;
use selfie_models::Error;
use selfie_models::classifier::{ClassifierConfig, HeadConfig};
use selfie_models::pooling::PoolingConfig;
use selfie_models::positions::PositionKind;
use selfie_models::presets;
use selfie_models::resnet::{BlockKind, ResNetConfig, Stem};
use selfie_models::selfie::{EmbeddingKind, SelfieConfig};
use serde::{Deserialize, Serialize};

/// A preset and what differs from it; channels and size come from the data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkRecipe {
    /// Name of a ResNet, one of [`presets::RESNETS`].
    pub preset: String,
    /// First layers.
    pub stem: Stem,
    /// Order of the layers in a block; the preset's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<BlockKind>,
    /// Channels of the first group; the preset's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Blocks of the first three groups; the preset's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depths: Option<[usize; 3]>,
    /// Blocks of the classifier's fourth group; the preset's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fourth_group: Option<usize>,
    /// What follows the three groups in the classifier.
    pub head: Head,
    /// Side of a patch in pixels.
    pub patch_size: usize,
    /// Part of the patches that is masked.
    pub mask_ratio: f64,
    /// Kind of position embedding.
    pub positions: PositionKind,
    /// Whether positions are added to the encoder's inputs as well as to the query.
    pub positions_on_inputs: bool,
    /// Whether a batch normalisation follows the patch vectors.
    pub norm_patches: bool,
    /// Whether scores are divided by the square root of the width.
    pub scale_scores: bool,
    /// What the network gives as embedding after pretraining alone.
    pub embedding: EmbeddingKind,
    /// Attention pooling.
    pub pooling: PoolingConfig,
}

/// What follows the three groups in the classifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Head {
    /// A new fourth group and average pooling.
    FourthGroup,
    /// Attention pooling.
    AttentionPooling,
}

impl Default for NetworkRecipe {
    fn default() -> Self {
        let SelfieConfig {
            patch_size,
            mask_ratio,
            positions,
            positions_on_inputs,
            norm_patches,
            scale_scores,
            embedding,
            pooling,
            ..
        } = SelfieConfig::default();
        Self {
            preset: "resnet50".into(),
            stem: Stem::Small,
            block: None,
            width: None,
            depths: None,
            fourth_group: None,
            head: Head::FourthGroup,
            patch_size,
            mask_ratio,
            positions,
            positions_on_inputs,
            norm_patches,
            scale_scores,
            embedding,
            pooling,
        }
    }
}

impl NetworkRecipe {
    /// The pretraining network for a data set.
    ///
    /// # Errors
    /// [`Error::Config`] names the field that makes no network.
    pub fn selfie(&self, dataset: &Dataset) -> Result<SelfieConfig, Error> {
        let (resnet, _) = self.resnet(dataset.channels)?;
        let config = SelfieConfig {
            image_size: [dataset.height, dataset.width],
            patch_size: self.patch_size,
            mask_ratio: self.mask_ratio,
            resnet,
            pooling: self.pooling.clone(),
            positions: self.positions,
            positions_on_inputs: self.positions_on_inputs,
            norm_patches: self.norm_patches,
            scale_scores: self.scale_scores,
            embedding: self.embedding,
        };
        config.check()?;
        Ok(config)
    }

    /// The classifier for a data set.
    ///
    /// # Errors
    /// [`Error::Config`] names the field that makes no network.
    pub fn classifier(&self, dataset: &Dataset) -> Result<ClassifierConfig, Error> {
        let (resnet, depth) = self.resnet(dataset.channels)?;
        let head = match self.head {
            Head::FourthGroup => HeadConfig::FourthGroup { depth },
            Head::AttentionPooling => HeadConfig::AttentionPooling(self.pooling.clone()),
        };
        let image_size = [dataset.height, dataset.width];
        let config = ClassifierConfig { image_size, classes: dataset.labels.len(), resnet, head };
        config.check()?;
        Ok(config)
    }

    fn resnet(&self, channels: usize) -> Result<(ResNetConfig, usize), Error> {
        let (mut resnet, fourth) = presets::resnet(&self.preset, channels, self.stem)?;
        resnet.block = self.block.unwrap_or(resnet.block);
        resnet.width = self.width.unwrap_or(resnet.width);
        resnet.depths = self.depths.map_or(resnet.depths, |depths| depths.to_vec());
        Ok((resnet, self.fourth_group.unwrap_or(fourth)))
    }
}
