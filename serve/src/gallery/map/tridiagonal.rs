//! The largest eigenvalue of a symmetric tridiagonal matrix, and its eigenvector.
//!
//! # Source
//! Golub and Van Loan, "Matrix Computations", sections 8.4.1 and 8.2.2: bisection, and inverse iteration.

/// Halvings of an interval, after which its ends are neighbours among the 64-bit floats.
const HALVINGS: usize = 80;

/// The largest eigenvalue and its eigenvector of length 1.
///
/// # Shapes
/// - `diagonal`: `[n]`, `beside`: `[n - 1]`, none of them negative
pub fn largest(diagonal: &[f64], beside: &[f64]) -> (f64, Vec<f64>) {
    let beside_of = |row: usize| beside.get(row).copied().unwrap_or(0.0);
    let circle = |row: usize| diagonal[row] + beside_of(row) + row.checked_sub(1).map_or(0.0, beside_of);
    let mut low = diagonal.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut high = (0..diagonal.len()).map(circle).fold(low, f64::max);
    if high <= f64::MIN_POSITIVE {
        return (0.0, vec![(diagonal.len() as f64).sqrt().recip(); diagonal.len()]);
    }
    // Above all eigenvalues, by more than the rounding of the pivots.
    high += high * diagonal.len() as f64 * f64::EPSILON * 4.0;
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        match pivots(diagonal, beside, middle).iter().all(|pivot| *pivot > 0.0) {
            true => high = middle,
            false => low = middle,
        }
    }
    let pivots = pivots(diagonal, beside, high);
    // All numbers of the answer have one sign, so that this start is not at right angles to it.
    let mut vector = vec![1.0; diagonal.len()];
    for _ in 0..2 {
        solve(&pivots, beside, &mut vector);
    }
    (high, vector)
}

/// The pivots of `value * I - matrix`. They are all positive exactly when `value` is larger than every eigenvalue.
fn pivots(diagonal: &[f64], beside: &[f64], value: f64) -> Vec<f64> {
    let mut pivots: Vec<f64> = Vec::with_capacity(diagonal.len());
    for (row, diagonal) in diagonal.iter().enumerate() {
        let above = row.checked_sub(1).map_or(0.0, |above| beside[above] * (beside[above] / pivots[above]));
        pivots.push(value - diagonal - above);
    }
    pivots
}

/// Solves the system with these pivots, and gives the solution length 1.
fn solve(pivots: &[f64], beside: &[f64], vector: &mut [f64]) {
    for row in 1..vector.len() {
        vector[row] += beside[row - 1] / pivots[row - 1] * vector[row - 1];
    }
    for row in (0..vector.len()).rev() {
        let below = vector.get(row + 1).map_or(0.0, |below| beside[row] * below);
        vector[row] = (vector[row] + below) / pivots[row];
    }
    let largest = vector.iter().fold(f64::MIN_POSITIVE, |largest, value| largest.max(value.abs()));
    vector.iter_mut().for_each(|value| *value /= largest);
    let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
    vector.iter_mut().for_each(|value| *value /= length);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn a_chain_of_springs_has_the_known_mode() {
        for size in [1usize, 2, 3, 50, 200] {
            let (value, vector) = largest(&vec![2.0; size], &vec![1.0; size - 1]);
            let angle = PI / (size + 1) as f64;
            assert!((value - 2.0 - 2.0 * angle.cos()).abs() < 1e-12, "{size}: {value}");
            let scale = (2.0 / (size + 1) as f64).sqrt();
            for (row, found) in vector.iter().enumerate() {
                let expected = scale * (angle * (row + 1) as f64).sin();
                assert!((found - expected).abs() < 1e-9, "{size}, {row}: {found}, expected {expected}");
            }
        }
    }

    #[test]
    fn matrices_of_any_scale_are_solved() {
        for scale in [0.0, 1e-200, 1e-12, 1e100] {
            let (value, vector) = largest(&[scale, 3.0 * scale], &[2.0 * scale]);
            let expected = (2.0 + 5.0f64.sqrt()) * scale;
            assert!((value - expected).abs() <= 1e-12 * scale + f64::MIN_POSITIVE, "{value}, expected {expected}");
            assert!(vector.iter().all(|value| value.is_finite()), "{vector:?}");
        }
    }
}
