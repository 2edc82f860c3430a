//! t-SNE: a map on which vectors that were near each other stay near each other.

use crate::Error;
use bhtsne::{Neighbor, tSNE};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;

/// Neighbours that a point counts as near, roughly.
const PERPLEXITY: usize = 30;
/// Neighbours of a point that are looked at, for each of the perplexity.
const LOOKED_AT: usize = 3;
const ROUNDS: usize = 500;
/// Rounds in which neighbours pull harder, and how much harder.
const EARLY_ROUNDS: usize = 125;
const EXAGGERATION: f64 = 12.0;
/// Largest distance that counts as one, as a part of the size of what pushes from there.
const THETA: f64 = 0.5;
/// Spread of the start.
const START: f64 = 1e-4;

/// A map of vectors that begins as `start`, their principal components; the same map every time.
///
/// # Source
/// Van der Maaten 2014, "Accelerating t-SNE using tree-based algorithms"; rate and start as Kobak and Berens 2019 advise.
pub(super) fn map(rows: &[Vec<f64>], start: &[[f64; 2]]) -> Result<Vec<[f64; 2]>, Error> {
    let count = rows.len();
    let perplexity = PERPLEXITY.min(count.saturating_sub(1) / LOOKED_AT);
    if perplexity == 0 || start.windows(2).all(|pair| pair[0] == pair[1]) {
        return Ok(start.to_vec());
    }
    let spread = (start.iter().map(|point| point[0] * point[0]).sum::<f64>() / count as f64).sqrt();
    let near = neighbours(rows, perplexity * LOOKED_AT);
    let start: Vec<f64> = start.iter().flatten().map(|value| value / spread * START).collect();
    let fit = || {
        tSNE::<f64, Vec<f64>, 2>::new(rows)
            .perplexity(perplexity as f64)
            .initial_embedding(start)
            .learning_rate((count as f64 / EXAGGERATION).max(200.0))
            .epochs(ROUNDS)
            .early_exaggeration(EXAGGERATION)
            .stop_lying_epoch(EARLY_ROUNDS)
            .momentum_switch_epoch(EARLY_ROUNDS)
            .barnes_hut_with_neighbors(THETA, &near)
            .embedding()
    };
    // Several threads would add up in another order every time.
    let alone = ThreadPoolBuilder::new().num_threads(1).build();
    let alone = alone.map_err(|error| Error::Internal { what: format!("t-SNE has no thread: {error}") })?;
    Ok(alone.install(fit).as_chunks().0.to_vec())
}

/// The nearest others of every vector. The crate's own search finds the same ones, but of equally near ones any.
fn neighbours(rows: &[Vec<f64>], count: usize) -> Vec<Vec<Neighbor<f64>>> {
    let square = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    (0..rows.len())
        .into_par_iter()
        .map(|own| {
            let others = (0..rows.len()).filter(|other| *other != own);
            let mut others: Vec<Neighbor<f64>> =
                others.map(|index| Neighbor { index, distance: square(&rows[own], &rows[index]).sqrt() }).collect();
            others.sort_by(|a, b| a.distance.total_cmp(&b.distance));
            others.truncate(count);
            others
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three far clusters in ten dimensions.
    fn clusters(count: usize) -> Vec<Vec<f64>> {
        let noise = |seed: usize| ((seed as f64 * 78.233).sin() * 43_758.545).fract();
        let row =
            |image: usize| (0..10).map(|axis| 8.0 * f64::from(axis == image % 3) + noise(image * 10 + axis)).collect();
        (0..count).map(row).collect()
    }

    fn mapped(rows: &[Vec<f64>]) -> Vec<[f64; 2]> {
        map(rows, &super::super::pca::components(rows).points).unwrap()
    }

    #[test]
    fn the_nearest_point_on_the_map_is_of_the_same_cluster_and_the_map_is_the_same_every_time() {
        let points = mapped(&clusters(90));
        assert_eq!(points, mapped(&clusters(90)));
        let square = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2);
        for (place, point) in points.iter().enumerate() {
            let others = (0..90).filter(|other| *other != place);
            let nearest = others.min_by(|a, b| square(points[*a], *point).total_cmp(&square(points[*b], *point)));
            assert_eq!(nearest.unwrap() % 3, place % 3, "{point:?}");
        }
    }

    #[test]
    fn few_and_equal_vectors_have_a_place_each() {
        let equal = vec![vec![1.0; 10]; 50];
        let both = [equal.clone(), clusters(40)].concat();
        for rows in [vec![], clusters(1), clusters(3), clusters(4), clusters(5), equal, both] {
            let points = mapped(&rows);
            assert_eq!(points.len(), rows.len());
            assert!(points.iter().flatten().all(|value| value.is_finite()), "{points:?}");
        }
    }
}
