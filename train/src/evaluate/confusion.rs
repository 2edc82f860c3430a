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

    /// Images of each class, and the part of them whose class was found.
    pub fn per_class(&self) -> Vec<(u64, f64)> {
        let part = |(class, row): (usize, &Vec<u64>)| {
            let all: u64 = row.iter().sum();
            (all, row.get(class).copied().unwrap_or_default() as f64 / all.max(1) as f64)
        };
        self.counts.iter().enumerate().map(part).collect()
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
        assert_eq!(confusion.per_class(), [(2, 1.0), (2, 0.5)]);
        let softplus = |x: f64| x.exp().ln_1p();
        let expected = (softplus(-1.0) + softplus(-2.0) + softplus(3.0) + softplus(0.0)) / 4.0;
        assert!((confusion.loss - expected).abs() < 1e-9, "{} {expected}", confusion.loss);
    }
}
