//! Attention pooling: a transformer that turns any number of vectors into one.

use crate::Error;
use burn::module::{Module, Param};
use burn::nn::transformer::{TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput};
use burn::nn::{Initializer, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// Configuration of [`AttentionPooling`]. Defaults are the paper's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PoolingConfig {
    /// Transformer layers.
    pub layers: usize,
    /// Attention heads of a layer; they divide the width.
    pub heads: usize,
    /// Width of the vectors inside; `0` takes the width of the patch vectors, any other adds a linear projection.
    pub width: usize,
    /// Width of the feed-forward layers.
    pub feed_forward: usize,
    /// Part of the activations that training drops.
    pub dropout: f64,
    /// Whether u_0 is learned; otherwise it is zero.
    pub learned_query: bool,
    /// Whether layers normalise before attention and feed-forward; BERT and the paper normalise after.
    pub norm_first: bool,
}

impl Default for PoolingConfig {
    fn default() -> Self {
        Self { layers: 3, heads: 32, width: 0, feed_forward: 640, dropout: 0.1, learned_query: true, norm_first: false }
    }
}

/// Attention pooling: `u, h'_1..h'_n = Transformer(u_0, h_1..h_n)`, of which u is kept.
#[derive(Module, Debug)]
pub struct AttentionPooling {
    u_0: Option<Param<Tensor<3>>>,
    encoder: TransformerEncoder,
}

/// A linear layer between the patch vectors and the transformer, where their widths differ.
pub type Projection = Option<Linear>;

impl PoolingConfig {
    /// Width of the vectors inside for patch vectors of width `features`.
    pub fn resolved_width(&self, features: usize) -> usize {
        if self.width == 0 { features } else { self.width }
    }

    /// Checks what the types cannot say, for patch vectors of width `features`.
    ///
    /// # Errors
    /// [`Error::Config`] names the field.
    pub fn check(&self, features: usize) -> Result<(), Error> {
        let wrong = |reason: String| Err(Error::Config { reason });
        let width = self.resolved_width(features);
        if self.layers == 0 || self.feed_forward == 0 {
            return wrong("pooling.layers and pooling.feed_forward must be at least 1".into());
        }
        if self.heads == 0 || !width.is_multiple_of(self.heads) {
            let heads = self.heads;
            return wrong(format!("pooling.heads is {heads}, which does not divide the width {width}; take a divisor"));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return wrong(format!("pooling.dropout is {}; it must be at least 0 and below 1", self.dropout));
        }
        Ok(())
    }

    /// The projection that vectors of width `features` need, if any.
    pub fn projection(&self, features: usize, device: &Device) -> Projection {
        let width = self.resolved_width(features);
        (width != features).then(|| LinearConfig::new(features, width).init(device))
    }

    /// Makes the pooling for patch vectors of width `features`.
    pub fn init(&self, features: usize, device: &Device) -> AttentionPooling {
        let width = self.resolved_width(features);
        let query = Initializer::Normal { mean: 0.0, std: 0.02 };
        AttentionPooling {
            u_0: self.learned_query.then(|| query.init([1, 1, width], device)),
            encoder: TransformerEncoderConfig::new(width, self.feed_forward, self.heads, self.layers)
                .with_dropout(self.dropout)
                .with_norm_first(self.norm_first)
                .init(device),
        }
    }
}

impl AttentionPooling {
    /// Pools the vectors of each image into u.
    ///
    /// # Shapes
    /// - `h`: `[batch, n, width]` → `[batch, width]`
    /// # Source
    /// Trinh et al. 2019, section 2: attention pooling.
    pub fn forward(&self, h: Tensor<3>) -> Tensor<2> {
        let [batch, _, width] = h.dims();
        let u_0 = match &self.u_0 {
            Some(u_0) => u_0.val().repeat_dim(0, batch),
            None => Tensor::zeros([batch, 1, width], &h.device()),
        };
        let tokens = Tensor::cat(vec![u_0, h], 1);
        let tokens = self.encoder.forward(TransformerEncoderInput::new(tokens));
        tokens.narrow(1, 0, 1).squeeze_dim(1)
    }
}

/// Applies an optional projection.
///
/// # Shapes
/// - `h`: `[batch, n, features]` → `[batch, n, width]`
pub(crate) fn project(projection: &Projection, h: Tensor<3>) -> Tensor<3> {
    match projection {
        Some(linear) => linear.forward(h),
        None => h,
    }
}
