//! Weighted nearest neighbours: how well do embeddings keep classes together, without any training on labels?

use super::nearest::{Near, nearest};
use super::outputs::Rows;
use crate::Error;

/// Neighbours that vote, where nothing else is asked for.
pub const NEIGHBOURS: usize = 20;
/// T in the weight exp(cosine / T) of a vote.
pub const TEMPERATURE: f64 = 0.07;

/// The class of every query by a vote of its nearest vectors in the bank, weighted by exp(cosine / T).
///
/// # Source
/// Wu et al. 2018, section 3.4: the weighted kNN classifier.
pub(crate) fn classify(
    bank: &Rows,
    labels: &[u32],
    queries: &Rows,
    classes: usize,
    k: usize,
) -> Result<Vec<usize>, Error> {
    let near = nearest(bank, queries, k)?;
    Ok(near.iter().map(|near| vote(near, labels, classes)).collect())
}

fn vote(near: &[Near], labels: &[u32], classes: usize) -> usize {
    let mut votes = vec![0.0; classes];
    for Near { index, cosine } in near {
        let label = labels.get(*index).map(|label| *label as usize);
        if let Some(votes) = label.and_then(|label| votes.get_mut(label)) {
            *votes += (f64::from(*cosine) / TEMPERATURE).exp();
        }
    }
    votes.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(class, _)| class)
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
        assert_eq!(classify(&bank, &[0, 1], &queries, 2, NEIGHBOURS).unwrap(), [0, 1]);
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
        assert_eq!(classify(&rows(&bank), &labels, &rows(&[[1.0, 0.0]]), 3, NEIGHBOURS).unwrap(), [0]);
    }

    #[test]
    fn as_many_vote_as_are_asked_for() {
        let bank = rows(&[[1.0, 0.0], [0.99, 0.141], [0.99, -0.141]]);
        let found = |k| classify(&bank, &[0, 1, 1], &rows(&[[1.0, 0.0]]), 2, k).unwrap();
        assert_eq!((found(1), found(3)), (vec![0], vec![1]));
    }
}
