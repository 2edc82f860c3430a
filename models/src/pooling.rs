//! Attention pooling: a transformer that turns any number of vectors into one.

use crate::Error;
use burn::module::{Module, Param};
use burn::nn::attention::MhaInput;
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
        let tokens = self.encoder.forward(TransformerEncoderInput::new(self.tokens(h)));
        tokens.narrow(1, 0, 1).squeeze_dim(1)
    }

    /// How much u looks at itself and at each vector, by layer and head; a row sums to 1.
    ///
    /// # Shapes
    /// - `h`: `[batch, n, width]` → `[batch, layers, heads, 1 + n]`
    pub fn attention(&self, h: Tensor<3>) -> Tensor<4> {
        let mut tokens = self.tokens(h);
        let mut layers = Vec::new();
        for layer in &self.encoder.layers {
            // Burn's layer keeps its weights to itself; its attention comes after `norm_2` where it normalises first.
            let seen = if layer.norm_first { layer.norm_2.forward(tokens.clone()) } else { tokens.clone() };
            let weights = layer.mha.forward(MhaInput::self_attn(seen)).weights;
            layers.push(weights.narrow(2, 0, 1).squeeze_dim::<3>(2));
            tokens = layer.forward(tokens, None, None);
        }
        Tensor::stack(layers, 1)
    }

    /// u_0 before the vectors of each image.
    fn tokens(&self, h: Tensor<3>) -> Tensor<3> {
        let [batch, _, width] = h.dims();
        let u_0 = match &self.u_0 {
            Some(u_0) => u_0.val().repeat_dim(0, batch),
            None => Tensor::zeros([batch, 1, width], (&h.device(), h.dtype())),
        };
        Tensor::cat(vec![u_0, h], 1)
    }
}

/// Where u looks in an image.
#[derive(Clone, Debug)]
pub struct Attention {
    /// How much u looks at itself and at each cell, row by row: `[batch, layers, heads, 1 + rows * columns]`.
    pub weights: Tensor<4>,
    /// Rows and columns of the cells.
    pub grid: [usize; 2],
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

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Distribution;

    fn pooling(norm_first: bool) -> AttentionPooling {
        let config = PoolingConfig { layers: 2, heads: 2, feed_forward: 8, norm_first, ..PoolingConfig::default() };
        config.init(4, &Device::flex())
    }

    #[test]
    fn the_attention_of_u_sums_to_one_in_every_layer_and_head() {
        for norm_first in [false, true] {
            let h = Tensor::random([3, 5, 4], Distribution::Normal(0.0, 1.0), &Device::flex());
            let attention = pooling(norm_first).attention(h);
            assert_eq!(attention.dims(), [3, 2, 2, 6]);
            let sums: Vec<f32> = attention.sum_dim(3).try_into_vec_as().unwrap();
            assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-5), "{sums:?}");
        }
    }

    #[test]
    fn the_attention_of_the_first_layer_is_that_of_its_query_and_keys() {
        let pooling = pooling(false);
        let h: Tensor<3> = Tensor::random([1, 3, 4], Distribution::Normal(0.0, 1.0), &Device::flex());
        let mha = &pooling.encoder.layers[0].mha;
        let tokens = pooling.tokens(h.clone());
        let (query, key) = (mha.query.forward(tokens.clone().narrow(1, 0, 1)), mha.key.forward(tokens));
        // The second head has the second half of the width.
        let scores = query.narrow(2, 2, 2).matmul(key.narrow(2, 2, 2).swap_dims(1, 2)).div_scalar(2f64.sqrt());
        let expected: Vec<f32> = burn::tensor::activation::softmax(scores, 2).try_into_vec_as().unwrap();
        let found: Vec<f32> = pooling.attention(h).slice([0..1, 0..1, 1..2]).try_into_vec_as().unwrap();
        let largest = expected.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(largest < 1e-5, "{expected:?} {found:?}");
    }
}
