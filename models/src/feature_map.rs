//! Feature maps of a batch, and the layers of a residual network on them.
//!
//! One network, three ways to compute it: with Burn's operations, in training on the CPU device with [`crate::cpu`]'s, and on a GPU
//! with [`crate::channels_last`]'s.

use crate::channels_last;
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
    layout: Layout,
}

/// How a batch lies in memory.
#[derive(Clone, Copy, Debug)]
enum Layout {
    /// `[batch, channels, height, width]`, for Burn's operations.
    Plain,
    /// That of [`cpu`].
    Grid(Grid),
    /// `[batch, height, width, channels]`, that of [`channels_last`].
    ChannelsLast,
}

impl FeatureMap {
    /// # Shapes
    /// - `images`: `[batch, channels, height, width]`
    pub fn new(images: Tensor<4>) -> Self {
        if channels_last::is_fast(&images) {
            return Self::channels_last(images);
        }
        if !cpu::is_fast(&images) {
            return Self { x: images, layout: Layout::Plain };
        }
        let [batch, channels, height, width] = images.dims();
        let images_of_group = together(batch, height * width);
        let groups = batch / images_of_group;
        let x = exchange(images, [groups, images_of_group, channels, height * width]);
        let x = x.reshape([groups, channels, images_of_group * height, width]);
        Self { x, layout: Layout::Grid(Grid { groups, images: images_of_group, height, width }) }
    }

    /// The way of GPUs, wherever the images are.
    pub fn channels_last(images: Tensor<4>) -> Self {
        Self { x: images.permute([0, 2, 3, 1]), layout: Layout::ChannelsLast }
    }

    /// The way of Burn's own operations, wherever the images are.
    #[cfg(test)]
    pub fn plain(images: Tensor<4>) -> Self {
        Self { x: images, layout: Layout::Plain }
    }

    /// # Shapes
    /// - output: `[batch, channels, height, width]`
    pub fn into_tensor(self) -> Tensor<4> {
        match self.layout {
            Layout::Plain => self.x,
            Layout::ChannelsLast => self.x.permute([0, 3, 1, 2]),
            Layout::Grid(Grid { groups, images, height, width }) => {
                let channels = self.x.dims()[1];
                let x = exchange(self.x, [groups, channels, images, height * width]);
                x.reshape([groups * images, channels, height, width])
            }
        }
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
        if let Layout::Grid(grid) = self.layout {
            let (x, grid) = cpu::convolve(self.x, grid, norm, convolution);
            return Self { x, layout: Layout::Grid(grid) };
        }
        let before = match norm {
            Some(norm) => self.norm_relu(norm),
            None => self,
        };
        let x = match before.layout {
            Layout::ChannelsLast => channels_last::convolve(before.x, convolution),
            _ => convolution.forward(before.x),
        };
        Self { x, layout: before.layout }
    }

    /// Batch normalisation.
    pub fn norm(self, norm: &BatchNorm) -> Self {
        let x = match self.layout {
            Layout::Plain => normalise(norm, self.x),
            Layout::Grid(grid) => cpu::normalise(self.x, grid, norm, false),
            Layout::ChannelsLast => channels_last::normalise(self.x, norm),
        };
        Self { x, ..self }
    }

    /// Batch normalisation and ReLU.
    pub fn norm_relu(self, norm: &BatchNorm) -> Self {
        match self.layout {
            Layout::Grid(grid) => Self { x: cpu::normalise(self.x, grid, norm, true), ..self },
            _ => self.norm(norm).relu(),
        }
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
