//! Rows of a gallery as vectors of length 1, in 64-bit floats.

use crate::gallery::Gallery;
use rayon::prelude::*;

/// Sums that are made beside each other, whatever the number of threads, so that every machine adds in the same order.
const TASKS: usize = 64;
/// Sums of one product that run beside each other.
const LANES: usize = 8;

/// Rows of a gallery that stand for all.
pub struct Sample<'a> {
    /// Where the vectors are.
    pub gallery: &'a Gallery,
    /// Which ones.
    pub rows: &'a [usize],
}

/// One vector and what brings it to length 1.
#[derive(Clone, Copy)]
pub struct Unit<'a> {
    vector: &'a [f32],
    scale: f64,
}

impl<'a> Unit<'a> {
    /// The direction of a vector of this length; one of zeros has none and stays.
    pub fn of(vector: &'a [f32], length: f64) -> Self {
        Self { vector, scale: if length > 0.0 { length.recip() } else { 0.0 } }
    }

    /// Its product with another vector.
    pub fn dot(&self, other: &[f64]) -> f64 {
        let ((a, a_rest), (b, b_rest)) = (self.vector.as_chunks::<LANES>(), other.as_chunks::<LANES>());
        let mut lanes = [0.0f64; LANES];
        for (a, b) in a.iter().zip(b) {
            for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
                *lane += f64::from(*a) * b;
            }
        }
        let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| f64::from(*a) * b).sum();
        (lanes.iter().sum::<f64>() + rest) * self.scale
    }

    /// The square of its distance from another vector.
    pub fn distance(&self, other: &[f64]) -> f64 {
        self.vector.iter().zip(other).map(|(a, b)| (f64::from(*a) * self.scale - b).powi(2)).sum()
    }
}

impl Sample<'_> {
    /// Numbers of a vector.
    pub fn width(&self) -> usize {
        self.gallery.width()
    }

    /// The mean of all vectors, each times its weight, and the mean of the weights.
    pub fn mean(&self, weight: impl Fn(Unit<'_>) -> f64 + Sync) -> (Vec<f64>, f64) {
        let task = |rows: &[usize]| {
            let (mut sum, mut weights) = (vec![0.0f64; self.width()], 0.0);
            for &row in rows {
                let unit = Unit::of(self.gallery.vector(row), self.gallery.lengths[row]);
                let weight = weight(unit);
                let factor = weight * unit.scale;
                sum.iter_mut().zip(unit.vector).for_each(|(sum, value)| *sum += factor * f64::from(*value));
                weights += weight;
            }
            (sum, weights)
        };
        let parts: Vec<(Vec<f64>, f64)> =
            self.rows.par_chunks(self.rows.len().div_ceil(TASKS).max(1)).map(task).collect();
        let count = self.rows.len().max(1) as f64;
        let mut mean = vec![0.0; self.width()];
        for (sum, _) in &parts {
            mean.iter_mut().zip(sum).for_each(|(mean, sum)| *mean += sum / count);
        }
        (mean, parts.iter().map(|(_, weights)| weights / count).sum())
    }
}
