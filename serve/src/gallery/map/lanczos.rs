//! The largest eigenvalue of a covariance and its eigenvector, without the covariance itself: a step is one pass over the
//! vectors, and what is kept is one vector a step.
//!
//! # Source
//! Golub and Van Loan, "Matrix Computations", section 10.1: the Lanczos method with full reorthogonalisation.

use super::plane::dot;
use super::sample::Sample;
use super::tridiagonal;

/// Passes over the vectors, at most; with as many as a vector has numbers the answer is exact.
const MAX_STEPS: usize = 200;
/// A step that would change the answer by less than this part of it is the last.
const SETTLED: f64 = 1e-9;

/// The largest variance in a direction at right angles to those that are known, and that direction.
pub fn largest(known: &[Vec<f64>], mean: &[f64], sample: &Sample<'_>) -> (f64, Vec<f64>) {
    let width = mean.len();
    // Any start does that is not at right angles to the answer: numbers without a pattern, the same every time.
    let mut direction: Vec<f64> = (0..width).map(|place| ((place + 1) as f64 * 12.9898).sin()).collect();
    remove(&mut direction, known);
    normalise(&mut direction);
    let (mut basis, mut diagonal, mut beside): (Vec<Vec<f64>>, Vec<f64>, Vec<f64>) = Default::default();
    let (mut value, mut weights) = (0.0, Vec::new());
    for _ in 0..MAX_STEPS.min(width.saturating_sub(known.len())) {
        let mut next = covariance(sample, mean, &direction);
        diagonal.push(dot(&next, &direction));
        basis.push(direction);
        // What rounding leaves of the others the second time takes away.
        for _ in 0..2 {
            remove(&mut next, known);
            remove(&mut next, &basis);
        }
        let length = normalise(&mut next);
        (value, weights) = tridiagonal::largest(&diagonal, &beside);
        let error = length * weights.last().map_or(0.0, |weight| weight.abs());
        if error <= SETTLED * value {
            break;
        }
        beside.push(length);
        direction = next;
    }
    let mut found = vec![0.0; width];
    for (weight, direction) in weights.iter().zip(&basis) {
        found.iter_mut().zip(direction).for_each(|(sum, value)| *sum += weight * value);
    }
    normalise(&mut found);
    (value, found)
}

/// The covariance of the vectors times a direction.
fn covariance(sample: &Sample<'_>, mean: &[f64], direction: &[f64]) -> Vec<f64> {
    let centre = dot(mean, direction);
    let (mut product, along) = sample.mean(|unit| unit.dot(direction) - centre);
    product.iter_mut().zip(mean).for_each(|(product, mean)| *product -= along * mean);
    product
}

/// Takes the known directions, each of length 1, out of a vector.
fn remove(vector: &mut [f64], known: &[Vec<f64>]) {
    for other in known {
        let along = dot(vector, other);
        vector.iter_mut().zip(other).for_each(|(value, other)| *value -= along * other);
    }
}

/// Gives a vector length 1, and says its length before.
fn normalise(vector: &mut [f64]) -> f64 {
    let length = dot(vector, vector).sqrt();
    vector.iter_mut().for_each(|value| *value /= length.max(f64::MIN_POSITIVE));
    length
}
