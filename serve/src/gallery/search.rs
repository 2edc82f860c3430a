//! Exact nearest neighbours by cosine: one matrix product in 32-bit floats finds the candidates, 64-bit floats put them in
//! order.
//!
//! The product of two unit vectors of `w` numbers, summed in [`LANES`] lanes, is off by at most `(w / LANES + LANES) * 2^-23`. A
//! row that is further than twice that below the `k`-th best cannot be among the `k` best, so what is left holds all of them.

use super::Gallery;
use crate::model::row::{length, unit};
use rayon::prelude::*;
use std::ops::Range;

/// Sums that run beside each other.
const LANES: usize = 16;
/// Rows of one task.
const TASK_ROWS: usize = 512;
/// Queries of one pass over the vectors: their scores fit the memory that a search may take.
const PASS_QUERIES: usize = 16;
/// Vectors of other lengths could lose digits in 32-bit products.
const SAFE_LENGTHS: Range<f64> = 1e-12..1e12;

/// One neighbour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Which vector.
    pub row: usize,
    /// Cosine of the angle between it and the query; 0 when one of them has no direction.
    pub score: f64,
}

impl Gallery {
    /// The `k` nearest vectors of each query, nearest first, of equal ones the earlier row first; with `labels` only those
    /// of these classes.
    ///
    /// # Shapes
    /// - `queries`: each of [`Gallery::width`] numbers
    pub fn search(&self, queries: &[Vec<f32>], k: usize, labels: Option<&[String]>) -> Vec<Vec<Hit>> {
        let wanted: Option<Vec<bool>> =
            labels.map(|labels| self.classes.iter().map(|class| labels.contains(class)).collect());
        let is_wanted =
            |row: &usize| wanted.as_ref().is_none_or(|wanted| self.labels[*row].is_some_and(|class| wanted[class]));
        let rows: Vec<usize> = (0..self.len()).filter(is_wanted).collect();
        queries.chunks(PASS_QUERIES).flat_map(|queries| self.pass(queries, k, &rows)).collect()
    }

    fn pass(&self, queries: &[Vec<f32>], k: usize, rows: &[usize]) -> Vec<Vec<Hit>> {
        let units: Vec<Vec<f32>> = queries.iter().map(|query| unit(query)).collect();
        let mut scores = vec![0.0f32; rows.len() * queries.len()];
        let tasks = scores.par_chunks_mut(TASK_ROWS * queries.len()).zip(rows.par_chunks(TASK_ROWS));
        tasks.for_each(|(scores, rows)| {
            for (scores, &row) in scores.chunks_mut(queries.len()).zip(rows) {
                for ((score, unit), query) in scores.iter_mut().zip(&units).zip(queries) {
                    *score = match SAFE_LENGTHS.contains(&self.lengths[row]) {
                        true => dot(unit, self.vectors.row(row)) / self.lengths[row] as f32,
                        false => self.cosine(query, row) as f32,
                    };
                }
            }
        });
        let best = |index: usize| {
            let scores: Vec<f32> = scores.iter().skip(index).step_by(queries.len()).copied().collect();
            self.best(&queries[index], k, rows, &scores)
        };
        (0..queries.len()).map(best).collect()
    }

    /// The best rows, of those that could be among them.
    fn best(&self, query: &[f32], k: usize, rows: &[usize], scores: &[f32]) -> Vec<Hit> {
        let mut sorted = scores.to_vec();
        let least = match k < sorted.len() {
            true => *sorted.select_nth_unstable_by(k.saturating_sub(1), |a, b| b.total_cmp(a)).1 - 2.0 * self.error(),
            false => f32::NEG_INFINITY,
        };
        let near = rows.iter().zip(scores).filter(|(_, score)| **score >= least);
        let mut hits: Vec<Hit> = near.map(|(&row, _)| Hit { row, score: self.cosine(query, row) }).collect();
        hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
        hits.truncate(k);
        hits
    }

    /// How far a score may be off in 32-bit floats.
    fn error(&self) -> f32 {
        (self.width().div_ceil(LANES) + LANES) as f32 * f32::EPSILON
    }

    fn cosine(&self, query: &[f32], row: usize) -> f64 {
        let lengths = length(query) * self.lengths[row];
        if lengths == 0.0 {
            return 0.0;
        }
        let product = query.iter().zip(self.vectors.row(row)).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
        (product / lengths).clamp(-1.0, 1.0)
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0f32; LANES];
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests;
