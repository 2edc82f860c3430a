//! Batch normalisation with the statistics of the batch.
//!
//! # Source
//! Ioffe and Szegedy 2015, "Batch normalization".

use super::columns::Activation;
use super::grid::Grid;
use super::simd;
use rayon::prelude::*;

/// Mean and variance of each channel, and what follows from them.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// Whether they are those of the batch, through which gradients flow, or fixed numbers.
    pub is_of_batch: bool,
    /// Mean of each channel.
    pub mean: Vec<f32>,
    /// Biased variance of each channel.
    pub variance: Vec<f32>,
    /// `1 / sqrt(variance + epsilon)`
    pub inverse: Vec<f32>,
    /// `gamma * inverse`
    pub scale: Vec<f32>,
    /// `beta - mean * scale`
    pub shift: Vec<f32>,
}

impl Statistics {
    /// Of a batch.
    pub fn of(x: &[f32], grid: Grid, gamma: &[f32], beta: &[f32], epsilon: f64) -> Self {
        let channels = gamma.len();
        let cells = grid.cells();
        // A row of moments for each group, combined in the order of the groups: the same numbers with any number of threads.
        let moments: Vec<Vec<(f64, f64)>> = x
            .par_chunks_exact(channels * cells)
            .map(|group| group.chunks_exact(cells).map(simd::moments).collect())
            .collect();
        let count = (grid.groups * cells) as f64;
        let (mean, variance) = (0..channels)
            .map(|channel| {
                let groups = || moments.iter().map(|group| group[channel]);
                let mean = groups().map(|(mean, _)| mean).sum::<f64>() / grid.groups as f64;
                // Chan, Golub and LeVeque 1979: the squares around the common mean from those around each group's own.
                let squares = groups().map(|(own, squares)| squares + cells as f64 * (own - mean) * (own - mean));
                (mean as f32, (squares.sum::<f64>() / count) as f32)
            })
            .unzip();
        Self { is_of_batch: true, ..Self::fixed(mean, variance, gamma, beta, epsilon) }
    }

    /// With numbers that do not depend on the batch.
    pub fn fixed(mean: Vec<f32>, variance: Vec<f32>, gamma: &[f32], beta: &[f32], epsilon: f64) -> Self {
        let inverse: Vec<f32> =
            variance.iter().map(|variance| (1.0 / (f64::from(*variance) + epsilon).sqrt()) as f32).collect();
        let scale: Vec<f32> = gamma.iter().zip(&inverse).map(|(gamma, inverse)| gamma * inverse).collect();
        let shift = beta.iter().zip(&mean).zip(&scale).map(|((beta, mean), scale)| beta - mean * scale).collect();
        Self { is_of_batch: false, mean, variance, inverse, scale, shift }
    }

    /// The activation that normalises and lets only what is positive through.
    pub fn activation(&self) -> Activation<'_> {
        Activation { scale: &self.scale, shift: &self.shift }
    }
}

/// A normalised feature map, rectified if that is asked for.
pub fn forward(x: &[f32], grid: Grid, statistics: &Statistics, is_rectified: bool) -> Vec<f32> {
    let (cells, channels) = (grid.cells(), statistics.mean.len());
    let mut y = vec![0.0; x.len()];
    y.par_chunks_exact_mut(channels * cells).zip(x.par_chunks_exact(channels * cells)).for_each(|(y, x)| {
        for (channel, (y, x)) in y.chunks_exact_mut(cells).zip(x.chunks_exact(cells)).enumerate() {
            let (scale, shift) = (statistics.scale[channel], statistics.shift[channel]);
            if is_rectified { simd::scale_relu(y, x, scale, shift) } else { simd::scale(y, x, scale, shift) }
        }
    });
    y
}

/// The gradient of the input in place of that of the output, and those of factor and summand.
pub fn backward(
    gradient: &mut [f32],
    x: &[f32],
    grid: Grid,
    statistics: &Statistics,
    is_rectified: bool,
) -> NormGradients {
    let (cells, channels) = (grid.cells(), statistics.mean.len());
    let groups = gradient.par_chunks_exact_mut(channels * cells).zip(x.par_chunks_exact(channels * cells));
    let sums: Vec<Sums> = groups.map(|(gradient, x)| gate(gradient, x, cells, statistics, is_rectified)).collect();
    finish(gradient, x, grid, statistics, &sums)
}

/// Lets the gradient of a group through where its activation is positive, or everywhere without a rectifier, and sums it up.
pub fn gate(gradient: &mut [f32], x: &[f32], cells: usize, statistics: &Statistics, is_rectified: bool) -> Sums {
    let Statistics { mean, scale, shift, .. } = statistics;
    let channels = gradient.chunks_exact_mut(cells).zip(x.chunks_exact(cells)).enumerate();
    channels
        .map(|(channel, (gradient, x))| match is_rectified {
            true => simd::gate(gradient, x, scale[channel], shift[channel], mean[channel]),
            // An activation of one everywhere is positive everywhere.
            false => simd::gate(gradient, x, 0.0, 1.0, mean[channel]),
        })
        .collect()
}

/// Gradients of a normalisation.
#[derive(Clone, Debug)]
pub struct NormGradients {
    /// Of the factor.
    pub gamma: Vec<f32>,
    /// Of the summand.
    pub beta: Vec<f32>,
}

/// The sums of the gradient and of the gradient times `x - mean`, channel by channel.
pub type Sums = Vec<(f64, f64)>;

/// Turns the gated gradient into the gradient of the input, in place.
pub fn finish(gradient: &mut [f32], x: &[f32], grid: Grid, statistics: &Statistics, sums: &[Sums]) -> NormGradients {
    let channels = statistics.mean.len();
    let (cells, count) = (grid.cells(), (grid.groups * grid.cells()) as f64);
    let total = |channel: usize| {
        sums.iter().fold((0.0, 0.0), |(sum, product), group| (sum + group[channel].0, product + group[channel].1))
    };
    let totals: Sums = (0..channels).map(total).collect();
    let gamma: Vec<f32> = totals
        .iter()
        .zip(&statistics.inverse)
        .map(|((_, product), inverse)| (product * f64::from(*inverse)) as f32)
        .collect();
    let beta = totals.iter().map(|(sum, _)| *sum as f32).collect();
    gradient.par_chunks_exact_mut(channels * cells).zip(x.par_chunks_exact(channels * cells)).for_each(
        |(gradient, x)| {
            for (channel, (gradient, x)) in gradient.chunks_exact_mut(cells).zip(x.chunks_exact(cells)).enumerate() {
                let (scale, inverse) = (statistics.scale[channel], statistics.inverse[channel]);
                // Fixed statistics let nothing flow back through themselves.
                let (mean, slope) = match statistics.is_of_batch {
                    true => (
                        (totals[channel].0 / count) as f32,
                        -scale * inverse * (f64::from(gamma[channel]) / count) as f32,
                    ),
                    false => (0.0, 0.0),
                };
                simd::recentre(gradient, x, scale, mean, slope, statistics.mean[channel]);
            }
        },
    );
    NormGradients { gamma, beta }
}
