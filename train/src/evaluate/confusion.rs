//! Which class was taken for which.

use super::outputs::Rows;

/// Images by right class and found class, and the mean loss.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    /// Images by right class (row) and found class (column).
    pub counts: Vec<Vec<u64>>,
    /// Mean cross-entropy.
    pub loss: f64,
}

/// How well a class was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Images of the class.
    pub images: u64,
    /// Part of them that was taken for the class.
    pub recall: f64,
    /// Part of what was taken for the class that is of it; 0 where nothing was.
    pub precision: f64,
    /// Harmonic mean of both.
    pub f1: f64,
}

impl Confusion {
    /// Counts class scores against the right labels. Of equal scores the first counts.
    pub(crate) fn of(logits: &Rows, labels: &[u32], classes: usize) -> Self {
        let mut counts = vec![vec![0; classes]; classes];
        let mut loss = 0.0;
        for (scores, label) in logits.iter().zip(labels) {
            let label = *label as usize;
            let (mut found, mut largest) = (0, f64::NEG_INFINITY);
            for (class, score) in scores.iter().enumerate() {
                if f64::from(*score) > largest {
                    (found, largest) = (class, f64::from(*score));
                }
            }
            let sum: f64 = scores.iter().map(|score| (f64::from(*score) - largest).exp()).sum();
            if let (Some(score), Some(count)) =
                (scores.get(label), counts.get_mut(label).and_then(|row: &mut Vec<u64>| row.get_mut(found)))
            {
                loss += largest + sum.ln() - f64::from(*score);
                *count += 1;
            }
        }
        Self { counts, loss: loss / labels.len().max(1) as f64 }
    }

    /// Part of all images whose class was found.
    pub fn accuracy(&self) -> f64 {
        let right: u64 = self.counts.iter().enumerate().filter_map(|(class, row)| row.get(class)).sum();
        let all: u64 = self.counts.iter().flatten().sum();
        right as f64 / all.max(1) as f64
    }

    /// How well each class was found.
    pub fn per_class(&self) -> Vec<Found> {
        let found = |(class, row): (usize, &Vec<u64>)| {
            let at = |row: &Vec<u64>| row.get(class).copied().unwrap_or_default();
            let (right, images) = (at(row), row.iter().sum::<u64>());
            let taken_for: u64 = self.counts.iter().map(at).sum();
            let part = |of: u64| right as f64 / of.max(1) as f64;
            Found {
                images,
                recall: part(images),
                precision: part(taken_for),
                // 2pr / (p + r), which is 0 for a class that is never found.
                f1: 2.0 * right as f64 / (images + taken_for).max(1) as f64,
            }
        };
        self.counts.iter().enumerate().map(found).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_accuracy_and_loss_are_those_by_hand() {
        let logits = Rows { width: 2, values: vec![1.0, 0.0, 0.0, 2.0, 3.0, 0.0, 5.0, 5.0] };
        let confusion = Confusion::of(&logits, &[0, 1, 1, 0], 2);
        assert_eq!(confusion.counts, [[2, 0], [1, 1]]);
        assert_eq!(confusion.accuracy(), 0.75);
        let first = Found { images: 2, recall: 1.0, precision: 2.0 / 3.0, f1: 0.8 };
        let second = Found { images: 2, recall: 0.5, precision: 1.0, f1: 2.0 / 3.0 };
        assert_eq!(confusion.per_class(), [first, second]);
        let never = Confusion::of(&Rows { width: 2, values: vec![1.0, 0.0] }, &[1], 2).per_class()[1];
        assert_eq!(never, Found { images: 1, recall: 0.0, precision: 0.0, f1: 0.0 });
        let softplus = |x: f64| x.exp().ln_1p();
        let expected = (softplus(-1.0) + softplus(-2.0) + softplus(3.0) + softplus(0.0)) / 4.0;
        assert!((confusion.loss - expected).abs() < 1e-9, "{} {expected}", confusion.loss);
    }
}
