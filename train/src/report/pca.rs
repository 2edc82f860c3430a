//! Principal components: the directions in which vectors differ most.

/// Rounds of the power iteration, at most.
const ROUNDS: usize = 300;
/// A direction that moves by less than this in a round has settled.
const SETTLED: f64 = 1e-12;

/// Vectors on their first two principal components.
pub(super) struct Components {
    /// A point for every vector.
    pub(super) points: Vec<[f64; 2]>,
    /// The part of the whole variance that each component has.
    pub(super) shares: [f64; 2],
}

/// Finds the first two principal components of vectors of equal length.
///
/// # Source
/// Power iteration with deflation; Golub and Van Loan, "Matrix Computations", section 8.2.
pub(super) fn components(rows: &[Vec<f64>]) -> Components {
    let rows = centred(rows);
    let variance: f64 = rows.iter().flatten().map(|value| value * value).sum();
    let mut found: Vec<Vec<f64>> = Vec::new();
    let mut shares = [0.0; 2];
    for share in &mut shares {
        let (direction, part) = strongest(&rows, &found);
        *share = part / variance.max(f64::MIN_POSITIVE);
        found.push(direction);
    }
    let points = rows.iter().map(|row| [dot(row, &found[0]), dot(row, &found[1])]).collect();
    Components { points, shares }
}

/// The direction of the largest variance at right angles to those that are known, and that variance.
fn strongest(rows: &[Vec<f64>], known: &[Vec<f64>]) -> (Vec<f64>, f64) {
    let width = rows.first().map_or(0, Vec::len);
    // Any start does that is not at right angles to the answer: numbers without a pattern, the same every time.
    let mut direction: Vec<f64> = (0..width).map(|place| ((place + 1) as f64 * 12.9898).sin()).collect();
    unit(&mut direction, known);
    let mut variance = 0.0;
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; width];
        for row in rows {
            let along = dot(row, &direction);
            next.iter_mut().zip(row).for_each(|(sum, value)| *sum += along * value);
        }
        variance = unit(&mut next, known);
        let moved = 1.0 - dot(&next, &direction).abs();
        direction = next;
        if moved < SETTLED {
            break;
        }
    }
    (direction, variance)
}

/// Takes the known directions out of a vector and gives it length 1; returns its length before.
fn unit(vector: &mut [f64], known: &[Vec<f64>]) -> f64 {
    for other in known {
        let along = dot(vector, other);
        vector.iter_mut().zip(other).for_each(|(value, other)| *value -= along * other);
    }
    let length = dot(vector, vector).sqrt();
    vector.iter_mut().for_each(|value| *value /= length.max(f64::MIN_POSITIVE));
    length
}

fn centred(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let count = rows.len().max(1) as f64;
    let mut mean = vec![0.0; rows.first().map_or(0, Vec::len)];
    for row in rows {
        mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / count);
    }
    rows.iter().map(|row| row.iter().zip(&mean).map(|(value, mean)| value - mean).collect()).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axes_of_an_ellipsoid_are_found_with_their_shares() {
        // Directions (3, 4, 0) / 5, (0, 0, 1) and (4, -3, 0) / 5 with squares 200, 50 and 2 around (1, 2, 3).
        let axes = [[0.6, 0.8, 0.0, 10.0], [0.0, 0.0, 1.0, 5.0], [0.8, -0.6, 0.0, 1.0]];
        let rows: Vec<Vec<f64>> = (axes.iter().flat_map(|axis| [1.0, -1.0].map(|sign| (axis, sign * axis[3]))))
            .map(|(axis, length)| (0..3).map(|place| (place + 1) as f64 + axis[place] * length).collect())
            .collect();
        let Components { points, shares } = components(&rows);
        let expected = [[10.0, 0.0], [10.0, 0.0], [0.0, 5.0], [0.0, 5.0], [0.0, 0.0], [0.0, 0.0]];
        for (found, expected) in points.iter().zip(expected) {
            assert!((0..2).all(|axis| (found[axis].abs() - expected[axis]).abs() < 1e-4), "{points:?}");
        }
        assert!(points[0][0] * points[1][0] < 0.0, "{points:?}");
        let wanted = [200.0 / 252.0, 50.0 / 252.0];
        assert!(shares.iter().zip(wanted).all(|(found, wanted)| (found - wanted).abs() < 1e-6), "{shares:?}");
    }

    #[test]
    fn equal_vectors_are_one_point() {
        let Components { points, shares } = components(&vec![vec![1.0, 2.0]; 3]);
        assert_eq!((points, shares), (vec![[0.0; 2]; 3], [0.0; 2]));
    }
}
