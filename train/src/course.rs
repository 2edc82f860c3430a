//! The course of the loss: whether it has risen so far that training is lost.

use serde::{Deserialize, Serialize};

/// Part of the running mean that stays at a step.
const KEEP: f64 = 0.9;
/// The loss has risen when its mean is this many times the least one, or the loss of knowing nothing, whichever is larger.
const RISEN: f64 = 2.0;
/// Training is lost when its mean is this many times that.
const LOST: f64 = 10.0;

/// What is remembered of the losses of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Course {
    /// Running mean over the latest steps; none before the first.
    mean: Option<f64>,
    /// Its least value.
    least: Option<f64>,
    /// Steps that were done when it had last not risen.
    even: u64,
    /// Steps that were done.
    step: u64,
}

impl Course {
    /// Takes in the loss of a step, counted from 1.
    pub(crate) fn follow(&mut self, step: u64, loss: f64, chance: f64) {
        let mean = self.mean.map_or(loss, |mean| KEEP * mean + (1.0 - KEEP) * loss);
        let least = self.least.map_or(mean, |least| least.min(mean));
        if mean <= RISEN * least.max(chance) {
            self.even = step;
        }
        (self.mean, self.least, self.step) = (Some(mean), Some(least), step);
    }

    /// The mean and the bound that it is above, when training is lost.
    pub(crate) fn lost(&self, chance: f64) -> Option<(f64, f64)> {
        let (mean, bound) = (self.mean?, LOST * self.least?.max(chance));
        (mean > bound).then_some((mean, bound))
    }

    /// Whether the loss stands far above where it was.
    pub(crate) fn has_risen(&self) -> bool {
        self.even < self.step
    }

    /// Whether the weights after a step gave a loss that had not risen, as far as is known. Those after the last even step gave the
    /// first that had.
    pub(crate) fn is_even_after(&self, step: u64) -> bool {
        self.mean.is_none() || step < self.even
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(losses: &[f64], chance: f64) -> Course {
        let mut course = Course::default();
        (1..).zip(losses).for_each(|(step, loss)| course.follow(step, *loss, chance));
        course
    }

    #[test]
    fn a_loss_that_runs_away_is_lost_and_one_that_begins_high_or_bounces_is_not() {
        let cases: [(&[f64], f64, bool, bool); 6] = [
            (&[2.3, 2.2, 34.0, 5e4], 2.3, true, true),
            (&[2.3, 2.2, 34.0, 3.0, 2.5], 2.3, true, false),
            (&[90.0, 60.0, 50.0], 2.3, false, false),
            (&[0.01, 0.01, 2.0, 3.0], 2.3, false, false),
            (&[90.0, 80.0, 4000.0], 2.3, true, false),
            (&[0.0, 0.0, 0.0], 0.0, false, false),
        ];
        for (losses, chance, has_risen, is_lost) in cases {
            let course = after(losses, chance);
            assert_eq!((course.has_risen(), course.lost(chance).is_some()), (has_risen, is_lost), "{losses:?}");
        }
        let course = after(&[2.3, 2.2, 2.1, 34.0, 5e4], 2.3);
        assert_eq!([1, 2, 3, 4].map(|step| course.is_even_after(step)), [true, true, false, false]);
    }
}
