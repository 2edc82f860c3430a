//! The plane in which vectors differ most: their first two principal components.

use super::lanczos;
use super::sample::{Sample, Unit};
use crate::model::row::length;
use std::slice;

/// A variance of vectors of length 1 that is none: the rounding of 32-bit numbers makes it.
const NO_VARIANCE: f64 = 1e-14;

/// A plane, and where it meets the mean of the vectors.
pub struct Plane {
    axes: [Vec<f64>; 2],
    centre: [f64; 2],
}

impl Plane {
    /// The two largest eigenvectors of the covariance, and the part of the whole variance that each has. The sign of an
    /// eigenvector is free; here its largest number is positive. Where there is no variance the axis is zero.
    pub fn of(sample: &Sample<'_>) -> (Self, [f64; 2]) {
        let (mean, _) = sample.mean(|_| 1.0);
        let (_, variance) = sample.mean(|unit| unit.distance(&mean));
        let axis = |known: &[Vec<f64>]| {
            let largest = (variance > NO_VARIANCE).then(|| lanczos::largest(known, &mean, sample));
            match largest.filter(|(value, _)| *value > NO_VARIANCE) {
                Some((value, axis)) => (positive(axis), value / variance),
                None => (vec![0.0; sample.width()], 0.0),
            }
        };
        let (first, most) = axis(&[]);
        let (second, next) = axis(slice::from_ref(&first));
        let centre = [dot(&first, &mean), dot(&second, &mean)];
        (Self { axes: [first, second], centre }, [most, next])
    }

    /// The place of a vector, brought to length 1, with the mean of the sample at the origin.
    pub fn point(&self, vector: &[f32]) -> [f32; 2] {
        let unit = Unit::of(vector, length(vector));
        [0, 1].map(|axis| (unit.dot(&self.axes[axis]) - self.centre[axis]) as f32)
    }
}

/// The axis or its opposite: the one whose largest number is positive.
fn positive(mut axis: Vec<f64>) -> Vec<f64> {
    let largest =
        axis.iter().copied().fold(0.0f64, |largest, value| if value.abs() > largest.abs() { value } else { largest });
    if largest < 0.0 {
        axis.iter_mut().for_each(|value| *value = -*value);
    }
    axis
}

/// The product of two vectors.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
