//! t-SNE: a map on which vectors that were near each other stay near each other.

use rayon::prelude::*;

/// Neighbours that a point counts as near, roughly.
const PERPLEXITY: f64 = 30.0;
const ROUNDS: usize = 500;
/// Rounds in which neighbours pull harder, and how much harder.
const EARLY_ROUNDS: usize = 125;
const EXAGGERATION: f64 = 12.0;
/// Spread of the start.
const START: f64 = 1e-4;

/// A map of vectors that begins as `start`, their principal components; the same map every time.
///
/// # Source
/// Van der Maaten and Hinton 2008, with the gradient in full; rate and start as Kobak and Berens 2019 advise.
pub(super) fn map(rows: &[Vec<f64>], start: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let count = rows.len();
    if count < 4 {
        return start.to_vec();
    }
    let near = affinities(rows);
    let spread = (start.iter().map(|point| point[0] * point[0]).sum::<f64>() / count as f64).sqrt();
    let scale = START / spread.max(f64::MIN_POSITIVE);
    let mut points: Vec<[f64; 2]> = start.iter().map(|point| point.map(|value| value * scale)).collect();
    let mut speed = vec![[0.0; 2]; count];
    let mut gains = vec![[1.0; 2]; count];
    let rate = (count as f64 / EXAGGERATION / 4.0).max(50.0);
    for round in 0..ROUNDS {
        let (pull, momentum) = if round < EARLY_ROUNDS { (EXAGGERATION, 0.5) } else { (1.0, 0.8) };
        let gradient = gradient(&near, &points, pull);
        for (((point, speed), gains), slope) in points.iter_mut().zip(&mut speed).zip(&mut gains).zip(&gradient) {
            for axis in 0..2 {
                let turned = (slope[axis] > 0.0) == (speed[axis] > 0.0);
                gains[axis] = if turned { f64::max(gains[axis] * 0.8, 0.01) } else { gains[axis] + 0.2 };
                speed[axis] = momentum * speed[axis] - rate * gains[axis] * slope[axis];
                point[axis] += speed[axis];
            }
        }
    }
    points
}

/// How near each vector is to each other, in both directions together; the sum over all is 1.
fn affinities(rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let count = rows.len();
    let perplexity = PERPLEXITY.min((count - 1) as f64 / 3.0);
    let square = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let one_way: Vec<Vec<f64>> = (0..count)
        .into_par_iter()
        .map(|row| {
            conditional(&rows.iter().map(|other| square(&rows[row], other)).collect::<Vec<_>>(), row, perplexity)
        })
        .collect();
    let both = |row: usize, column: usize| (one_way[row][column] + one_way[column][row]) / (2 * count) as f64;
    (0..count).into_par_iter().map(|row| (0..count).map(|column| both(row, column)).collect()).collect()
}

/// The chances with which a vector takes each other one for its neighbour: Gaussian in the squared distance, as wide as
/// the perplexity asks for.
fn conditional(squares: &[f64], own: usize, perplexity: f64) -> Vec<f64> {
    let nearest = squares.iter().enumerate().filter(|(place, _)| *place != own).map(|(_, square)| *square);
    let nearest = nearest.fold(f64::INFINITY, f64::min);
    let (mut low, mut high, mut precision) = (0.0, f64::INFINITY, 1.0);
    let mut chances = Vec::new();
    for _ in 0..60 {
        let weight =
            |(place, square): (usize, &f64)| if place == own { 0.0 } else { (-(square - nearest) * precision).exp() };
        chances = squares.iter().enumerate().map(weight).collect();
        let sum: f64 = chances.iter().sum();
        chances.iter_mut().for_each(|chance| *chance /= sum);
        let entropy: f64 =
            -chances.iter().filter(|chance| **chance > 0.0).map(|chance| chance * chance.ln()).sum::<f64>();
        match entropy > perplexity.ln() {
            true => low = precision,
            false => high = precision,
        }
        precision = if high.is_finite() { f64::midpoint(low, high) } else { precision * 2.0 };
    }
    chances
}

/// The slope of the Kullback-Leibler divergence at every point.
fn gradient(near: &[Vec<f64>], points: &[[f64; 2]], pull: f64) -> Vec<[f64; 2]> {
    // Sums of a point run in one order on any number of threads, so that the map is the same every time.
    let forces: Vec<([f64; 2], [f64; 2], f64)> = (points.par_iter().zip(near))
        .map(|(point, near)| {
            let (mut together, mut apart, mut sum) = ([0.0; 2], [0.0; 2], -1.0);
            for (other, near) in points.iter().zip(near) {
                let way = [point[0] - other[0], point[1] - other[1]];
                let kernel = 1.0 / (1.0 + way[0] * way[0] + way[1] * way[1]);
                sum += kernel;
                for axis in 0..2 {
                    together[axis] += near * kernel * way[axis];
                    apart[axis] += kernel * kernel * way[axis];
                }
            }
            (together, apart, sum)
        })
        .collect();
    let whole: f64 = forces.iter().map(|force| force.2).sum::<f64>().max(f64::MIN_POSITIVE);
    let slope = |(together, apart, _): &([f64; 2], [f64; 2], f64)| {
        [0, 1].map(|axis: usize| 4.0 * (pull * together[axis] - apart[axis] / whole))
    };
    forces.iter().map(slope).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three far clusters in ten dimensions.
    fn clusters() -> Vec<Vec<f64>> {
        let noise = |seed: usize| ((seed as f64 * 78.233).sin() * 43_758.545).fract();
        let row =
            |image: usize| (0..10).map(|axis| 8.0 * f64::from(axis == image % 3) + noise(image * 10 + axis)).collect();
        (0..90).map(row).collect()
    }

    #[test]
    fn a_conditional_distribution_has_the_perplexity_that_is_asked_for() {
        let squares: Vec<f64> = (0..50).map(|place| f64::from(place * place)).collect();
        let chances = conditional(&squares, 0, 12.0);
        let entropy: f64 =
            -chances.iter().filter(|chance| **chance > 0.0).map(|chance| chance * chance.ln()).sum::<f64>();
        assert!((entropy.exp() - 12.0).abs() < 1e-6, "{}", entropy.exp());
        assert_eq!(chances[0], 0.0);
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_divergence() {
        let rows = clusters();
        let near = affinities(&rows[..12]);
        let points: Vec<[f64; 2]> = (0..12).map(|place| [(place as f64).sin(), (place as f64 * 1.7).cos()]).collect();
        let divergence = |points: &[[f64; 2]]| {
            let kernel = |a: [f64; 2], b: [f64; 2]| 1.0 / (1.0 + (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2));
            let pairs = || (0..12).flat_map(|a| (0..12).map(move |b| (a, b))).filter(|(a, b)| a != b);
            let whole: f64 = pairs().map(|(a, b)| kernel(points[a], points[b])).sum();
            pairs().map(|(a, b)| near[a][b] * (near[a][b] / (kernel(points[a], points[b]) / whole)).ln()).sum::<f64>()
        };
        let (found, step) = (gradient(&near, &points, 1.0), 1e-5);
        for place in 0..12 {
            for axis in 0..2 {
                let moved = |by: f64| {
                    let mut points = points.clone();
                    points[place][axis] += by;
                    divergence(&points)
                };
                let expected = (moved(step) - moved(-step)) / (2.0 * step);
                assert!((found[place][axis] - expected).abs() < 1e-7, "{place}: {:?} {expected}", found[place]);
            }
        }
    }

    #[test]
    fn the_nearest_point_on_the_map_is_of_the_same_cluster_and_the_map_is_the_same_every_time() {
        let rows = clusters();
        let start = super::super::pca::components(&rows).points;
        let points = map(&rows, &start);
        let square = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
        for (place, point) in points.iter().enumerate() {
            let others = (0..90).filter(|other| *other != place);
            let nearest = others.min_by(|a, b| square(points[*a], *point).total_cmp(&square(points[*b], *point)));
            assert_eq!(nearest.unwrap() % 3, place % 3, "{point:?}");
        }
        assert_eq!(points, map(&rows, &start));
    }
}
