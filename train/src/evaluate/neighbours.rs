//! Weighted nearest neighbours: how well do embeddings keep classes together, without any training on labels?

use super::outputs::Rows;
use rayon::prelude::*;

/// Neighbours that vote.
pub const NEIGHBOURS: usize = 20;
/// T in the weight exp(cosine / T) of a vote.
pub const TEMPERATURE: f64 = 0.07;

/// The class of every query by a vote of its nearest vectors in the bank, weighted by exp(cosine / T).
///
/// # Source
/// Wu et al. 2018, section 3.4: the weighted kNN classifier.
pub(crate) fn classify(bank: &Rows, labels: &[u32], queries: &Rows, classes: usize) -> Vec<usize> {
    let (bank, queries) = (normalised(bank), normalised(queries));
    let rows: Vec<&[f32]> = queries.iter().collect();
    rows.into_par_iter().map(|query| vote(query, &bank, labels, classes)).collect()
}

fn vote(query: &[f32], bank: &Rows, labels: &[u32], classes: usize) -> usize {
    let mut near: Vec<(f32, u32)> = bank.iter().zip(labels).map(|(row, label)| (dot(row, query), *label)).collect();
    if near.len() > NEIGHBOURS {
        near.select_nth_unstable_by(NEIGHBOURS - 1, |a, b| b.0.total_cmp(&a.0));
        near.truncate(NEIGHBOURS);
    }
    let mut votes = vec![0.0; classes];
    for (cosine, label) in near {
        if let Some(votes) = votes.get_mut(label as usize) {
            *votes += (f64::from(cosine) / TEMPERATURE).exp();
        }
    }
    votes.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class)
}

/// Sums in eight lanes, which a compiler turns into vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut lanes = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

fn normalised(rows: &Rows) -> Rows {
    let unit = |row: &[f32]| {
        let norm = row.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        row.iter().map(|value| value / norm).collect::<Vec<_>>()
    };
    Rows { width: rows.width, values: rows.iter().flat_map(unit).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(values: &[[f32; 2]]) -> Rows {
        Rows { width: 2, values: values.concat() }
    }

    #[test]
    fn direction_decides_and_length_does_not() {
        let bank = rows(&[[1.0, 0.0], [0.0, 0.1]]);
        let queries = rows(&[[0.001, 0.0002], [1.0, 30.0]]);
        assert_eq!(classify(&bank, &[0, 1], &queries, 2), [0, 1]);
    }

    #[test]
    fn near_votes_outweigh_a_far_majority_and_only_the_nearest_vote() {
        // One vector in the very direction against 19 at 60 degrees: exp(1 / T) is more than 19 exp(0.5 / T).
        let far = [0.5, 0.866_025_4];
        let mut bank = vec![far; 19];
        bank.push([1.0, 0.0]);
        // A thousand vectors further away are not among the 20 that vote.
        bank.extend(vec![[0.4, 0.916_515_1]; 1000]);
        let labels: Vec<u32> = [vec![1; 19], vec![0], vec![2; 1000]].concat();
        assert_eq!(classify(&rows(&bank), &labels, &rows(&[[1.0, 0.0]]), 3), [0]);
    }
}
