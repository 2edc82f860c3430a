//! Feature maps of a batch, and the layers of a residual network on them.
//!
//! One network, two ways to compute it: with Burn's operations, or, in training on the CPU device, with [`crate::cpu`]'s.

use crate::cpu::{self, Grid};
use crate::norm::normalise;
use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::nn::pool::MaxPool2d;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use std::ops::Add;

/// Most pixels of a channel in a group of images: enough for wide matrix products, few enough for the cache.
const CELLS: usize = 4096;

/// Fewest groups of a batch, so that every processor finds one.
const GROUPS: usize = 8;

/// The feature maps of a batch.
#[derive(Clone, Debug)]
pub(crate) struct FeatureMap {
    x: Tensor<4>,
    /// How the batch lies in memory, on the CPU device in training.
    grid: Option<Grid>,
}

impl FeatureMap {
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`
    pub fn new(images: Tensor<4>) -> Self {
        if !cpu::is_fast(&images) {
            return Self { x: images, grid: None };
        }
        let [batch, channels, height, width] = images.dims();
        let images_of_group = together(batch, height * width);
        let groups = batch / images_of_group;
        let x = exchange(images, [groups, images_of_group, channels, height * width]);
        let x = x.reshape([groups, channels, images_of_group * height, width]);
        Self { x, grid: Some(Grid { groups, images: images_of_group, height, width }) }
    }

    /// The way of Burn's own operations, wherever the images are.
    #[cfg(test)]
    pub fn plain(images: Tensor<4>) -> Self {
        Self { x: images, grid: None }
    }

    /// # Shapes
    /// - output: `[batch, channels, height, width]`
    pub fn into_tensor(self) -> Tensor<4> {
        let Some(Grid { groups, images, height, width }) = self.grid else { return self.x };
        let channels = self.x.dims()[1];
        let x = exchange(self.x, [groups, channels, images, height * width]);
        x.reshape([groups * images, channels, height, width])
    }

    /// A convolution.
    pub fn convolve(self, convolution: &Conv2d) -> Self {
        self.convolve_after(None, convolution)
    }

    /// Batch normalisation, ReLU and a convolution.
    pub fn norm_relu_convolve(self, norm: &BatchNorm, convolution: &Conv2d) -> Self {
        self.convolve_after(Some(norm), convolution)
    }

    fn convolve_after(self, norm: Option<&BatchNorm>, convolution: &Conv2d) -> Self {
        match self.grid {
            Some(grid) => {
                let (x, grid) = cpu::convolve(self.x, grid, norm, convolution);
                Self { x, grid: Some(grid) }
            }
            None => {
                let before = match norm {
                    Some(norm) => self.norm_relu(norm),
                    None => self,
                };
                Self { x: convolution.forward(before.x), grid: None }
            }
        }
    }

    /// Batch normalisation.
    pub fn norm(self, norm: &BatchNorm) -> Self {
        let x = match self.grid {
            Some(grid) => cpu::normalise(self.x, grid, norm, false),
            None => normalise(norm, self.x),
        };
        Self { x, ..self }
    }

    /// Batch normalisation and ReLU.
    pub fn norm_relu(self, norm: &BatchNorm) -> Self {
        let x = match self.grid {
            Some(grid) => cpu::normalise(self.x, grid, norm, true),
            None => relu(normalise(norm, self.x)),
        };
        Self { x, ..self }
    }

    /// ReLU.
    pub fn relu(self) -> Self {
        Self { x: relu(self.x), ..self }
    }

    /// Max-pooling.
    pub fn max_pool(self, pool: &MaxPool2d) -> Self {
        Self::new(pool.forward(self.into_tensor()))
    }
}

impl Add for FeatureMap {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { x: self.x + other.x, ..self }
    }
}

/// How many images of a batch lie together: the most that divide the batch, do not pass [`CELLS`] and leave [`GROUPS`].
fn together(batch: usize, cells: usize) -> usize {
    let fits = |images: &usize| batch.is_multiple_of(*images) && images * cells <= CELLS && batch / images >= GROUPS;
    (1..=batch).rev().find(fits).unwrap_or(1)
}

/// `[a, b, c, d]` to `[a, c, b, d]`.
fn exchange(x: Tensor<4>, sizes: [usize; 4]) -> Tensor<4> {
    let x: Tensor<4> = x.reshape(sizes);
    if sizes[1] == 1 || sizes[2] == 1 { x.reshape([sizes[0], sizes[2], sizes[1], sizes[3]]) } else { x.swap_dims(1, 2) }
}
