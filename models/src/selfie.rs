//! The pretraining network: which patch belongs in which hole?

use crate::Error;
use crate::masking::Mask;
use crate::norm::normalise;
use crate::patches::patchify;
use crate::pooling::{Attention, AttentionPooling, PoolingConfig, Projection, project};
use crate::positions::{PositionKind, Positions};
use crate::resnet::{ResNet, ResNetConfig};
use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig};
use burn::tensor::{Device, FloatDType, Tensor};
use serde::{Deserialize, Serialize};

/// Configuration of [`Selfie`]. Defaults are the paper's for 32x32 images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SelfieConfig {
    /// Height and width of the image in pixels.
    pub image_size: [usize; 2],
    /// Side of a patch in pixels; it divides both sides of the image.
    pub patch_size: usize,
    /// Part of the patches that is masked.
    pub mask_ratio: f64,
    /// The patch network P.
    pub resnet: ResNetConfig,
    /// Attention pooling.
    pub pooling: PoolingConfig,
    /// Kind of position embedding.
    pub positions: PositionKind,
    /// Whether positions are added to the encoder's inputs as well as to the query.
    pub positions_on_inputs: bool,
    /// Whether a batch normalisation follows the patch vectors.
    pub norm_patches: bool,
    /// Whether scores are divided by the square root of the width.
    pub scale_scores: bool,
    /// What [`Selfie::embed`] gives.
    pub embedding: EmbeddingKind,
}

/// The vector that a network which was only pretrained gives for an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EmbeddingKind {
    /// The mean of the patch vectors.
    Mean,
    /// u, pooled over all patches.
    Pooled,
}

impl Default for SelfieConfig {
    fn default() -> Self {
        Self {
            image_size: [32, 32],
            patch_size: 8,
            mask_ratio: 0.25,
            resnet: ResNetConfig::default(),
            pooling: PoolingConfig::default(),
            positions: PositionKind::Cell,
            positions_on_inputs: false,
            norm_patches: false,
            scale_scores: false,
            embedding: EmbeddingKind::Mean,
        }
    }
}

/// The pretraining network: patch network P, attention pooling and pointer decoder.
#[derive(Module, Debug)]
pub struct Selfie {
    /// The patch network P.
    pub patch_network: ResNet,
    /// Between the patch vectors and the pooling, where their widths differ.
    pub projection: Projection,
    patch_norm: Option<BatchNorm>,
    /// Attention pooling.
    pub pooling: AttentionPooling,
    positions: Positions,
    patch_size: usize,
    positions_on_inputs: bool,
    scale_scores: bool,
    pooled_embedding: bool,
}

impl SelfieConfig {
    /// Rows and columns of the grid of patches.
    pub fn grid(&self) -> [usize; 2] {
        self.image_size.map(|side| side / self.patch_size.max(1))
    }

    /// Patches of an image.
    pub fn cells(&self) -> usize {
        self.grid().iter().product()
    }

    /// Masked patches of an image, m: [`SelfieConfig::mask_ratio`] of the cells, rounded.
    pub fn masked(&self) -> usize {
        (self.mask_ratio * self.cells() as f64).round() as usize
    }

    /// Length of the vector that [`Selfie::embed`] gives.
    pub fn embedding_width(&self) -> usize {
        self.pooling.resolved_width(self.resnet.output_width())
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// [`Error::Config`] names the field, what was found and what is possible.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |reason: String| Err(Error::Config { reason });
        let Self { image_size: [height, width], patch_size, .. } = *self;
        if patch_size == 0 || height == 0 || !height.is_multiple_of(patch_size) || !width.is_multiple_of(patch_size) {
            let side = height.min(width).max(1);
            let divisors: Vec<usize> =
                (2..side).filter(|patch| height.is_multiple_of(*patch) && width.is_multiple_of(*patch)).collect();
            return wrong(format!(
                "patch_size {patch_size} does not divide the image of {height}x{width}; possible are {divisors:?}"
            ));
        }
        let (cells, masked) = (self.cells(), self.masked());
        if masked < 2 || masked >= cells {
            return wrong(format!(
                "mask_ratio {} masks {masked} of {cells} patches; at least 2 must be masked and 1 visible",
                self.mask_ratio
            ));
        }
        self.resnet.check()?;
        if self.resnet.depths.len() != 3 {
            return wrong(format!("resnet.depths is {:?}; the patch network P has three groups", self.resnet.depths));
        }
        self.pooling.check(self.resnet.output_width())
    }

    /// Makes the network with fresh weights.
    pub fn init(&self, device: &Device) -> Selfie {
        let features = self.resnet.output_width();
        let width = self.embedding_width();
        let [rows, columns] = self.grid();
        Selfie {
            patch_network: self.resnet.init(device),
            projection: self.pooling.projection(features, device),
            patch_norm: self.norm_patches.then(|| BatchNormConfig::new(width).init(device)),
            pooling: self.pooling.init(features, device),
            positions: self.positions.init(rows, columns, width, device),
            patch_size: self.patch_size,
            positions_on_inputs: self.positions_on_inputs,
            scale_scores: self.scale_scores,
            pooled_embedding: self.embedding == EmbeddingKind::Pooled,
        }
    }
}

impl Selfie {
    /// Scores every masked patch as the answer for every masked position; the answer for row i is column i.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]` → `[batch, masked, masked]`
    /// # Source
    /// Trinh et al. 2019, section 2.
    pub fn forward(&self, images: Tensor<4>, mask: &Mask) -> Tensor<3> {
        let device = images.device();
        let h = self.patch_vectors(images);
        let [batch, cells, width] = h.dims();
        let masked = mask.masked_per_image();
        let rows: Tensor<2> = h.reshape([batch * cells, width]);
        let features = rows.clone().select(0, mask.rows(&mask.masked, &device)).reshape([batch, masked, width]);
        let mut visible: Tensor<3> =
            rows.select(0, mask.rows(&mask.visible, &device)).reshape([batch, cells - masked, width]);
        let positions = self.positions.table();
        let at = |cells: &[usize]| -> Tensor<3> {
            let rows = positions.clone().select(0, Mask::positions(cells, &device));
            rows.reshape([batch, cells.len() / batch, width])
        };
        if self.positions_on_inputs {
            visible = visible + at(&mask.visible);
        }
        let u: Tensor<3> = self.pooling.forward(visible).unsqueeze_dim(1);
        self.point(u + at(&mask.masked), features)
    }

    /// The vector of every patch.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]` → `[batch, cells, width]`
    pub fn patch_vectors(&self, images: Tensor<4>) -> Tensor<3> {
        let patches = patchify(images, [self.patch_size, self.patch_size]);
        let [batch, cells, channels, height, width] = patches.dims();
        let h = self.patch_network.forward_vector(patches.reshape([batch * cells, channels, height, width]));
        let [_, features] = h.dims();
        let h = project(&self.projection, h.reshape([batch, cells, features]));
        match &self.patch_norm {
            Some(norm) => {
                let [batch, cells, width] = h.dims();
                let rows: Tensor<2> = h.reshape([batch * cells, width]);
                normalise(norm, rows).reshape([batch, cells, width])
            }
            None => h,
        }
    }

    /// The vector of a whole image, nothing masked, as [`SelfieConfig::embedding`] says.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]` → `[batch, embedding_width]`
    pub fn embed(&self, images: Tensor<4>) -> Tensor<2> {
        let h = self.patch_vectors(images);
        if !self.pooled_embedding {
            return h.mean_dim(1).squeeze_dim(1);
        }
        self.pooling.forward(self.placed(h))
    }

    /// Where u looks in a whole image, nothing masked.
    ///
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`
    pub fn attention(&self, images: Tensor<4>) -> Attention {
        let [_, _, height, width] = images.dims();
        let h = self.patch_vectors(images);
        Attention {
            weights: self.pooling.attention(self.placed(h)),
            grid: [height / self.patch_size, width / self.patch_size],
        }
    }

    /// All patch vectors of an image with their positions, where positions are added to the encoder's inputs.
    fn placed(&self, h: Tensor<3>) -> Tensor<3> {
        if self.positions_on_inputs { h + self.positions.table().unsqueeze_dim::<3>(0) } else { h }
    }

    /// The pointer decoder: scores every feature as the answer to every query.
    ///
    /// # Shapes
    /// - `query`: `[batch, masked, width]`, `feature`: `[batch, masked, width]` → `[batch, masked, masked]`
    /// # Source
    /// Trinh et al. 2019, section 2: a dot product.
    fn point(&self, query: Tensor<3>, feature: Tensor<3>) -> Tensor<3> {
        let [_, _, width] = query.dims();
        // In 32 bits whatever the rest has: without a scale scores are large, and their differences small.
        let [query, feature] = [query, feature].map(|vectors| vectors.cast(FloatDType::F32));
        let scores = query.matmul(feature.swap_dims(1, 2));
        if self.scale_scores { scores.div_scalar((width as f64).sqrt()) } else { scores }
    }
}

#[cfg(test)]
#[path = "selfie_tests.rs"]
mod tests;
