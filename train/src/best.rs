//! The best step so far on the validation images, and when to stop looking for a better one.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The best step so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Best {
    /// Steps that were done.
    pub(crate) step: u64,
    /// On the validation images.
    pub(crate) accuracy: f64,
    /// On the validation images.
    pub(crate) loss: f64,
    /// Evaluations since then, none of them better.
    pub(crate) evaluations_since: u64,
}

impl Best {
    /// The best step after one more evaluation: a higher accuracy wins, or with the same one a lower loss.
    pub(crate) fn after(earlier: Option<Self>, step: u64, values: &BTreeMap<String, f64>) -> Self {
        let value = |name: &str| values.get(name).copied().unwrap_or_default();
        let (accuracy, loss) = (value("accuracy"), value("loss"));
        match earlier {
            Some(best) if (accuracy, -loss) <= (best.accuracy, -best.loss) => {
                Self { evaluations_since: best.evaluations_since + 1, ..best }
            }
            _ => Self { step, accuracy, loss, evaluations_since: 0 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accuracy_decides_then_loss_and_equal_is_not_better() {
        let mut best = None;
        let cases = [
            (1, 0.5, 1.0, 1),
            (2, 0.5, 1.0, 1),
            (3, 0.4, 0.1, 1),
            (4, 0.5, 0.9, 4),
            (5, 0.6, 3.0, 5),
            (6, 0.5, 0.0, 5),
        ];
        for (step, accuracy, loss, expected) in cases {
            let values = BTreeMap::from([("accuracy".into(), accuracy), ("loss".into(), loss)]);
            let found = Best::after(best, step, &values);
            assert_eq!(found.step, expected, "after step {step}");
            assert_eq!(found.evaluations_since, step - expected, "after step {step}");
            best = Some(found);
        }
    }
}
