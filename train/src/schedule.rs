//! The learning rate: linear warm-up, then half a cosine to 0.

use std::f64::consts::PI;

/// A learning rate for every step, without state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// Largest learning rate, reached at the end of the warm-up.
    pub peak: f64,
    /// Steps of the warm-up; the first one has `peak / warmup_steps`, not 0.
    pub warmup_steps: u64,
    /// Steps of the run.
    pub steps: u64,
}

impl Schedule {
    /// The learning rate of step `step`, counted from 0. It stays 0 after the last step.
    ///
    /// # Source
    /// Loshchilov and Hutter 2016, equation 5, without restarts.
    pub fn learning_rate(&self, step: u64) -> f64 {
        if step < self.warmup_steps {
            // Product and quotient are rounded, and may come out above the peak.
            return (self.peak * (step + 1) as f64 / self.warmup_steps as f64).min(self.peak);
        }
        let decay = self.steps.saturating_sub(self.warmup_steps).max(1);
        let progress = ((step - self.warmup_steps) as f64 / decay as f64).min(1.0);
        self.peak * 0.5 * (1.0 + (PI * progress).cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_rate_rises_linearly_falls_as_a_cosine_and_stays_at_zero() {
        let schedule = Schedule { peak: 0.4, warmup_steps: 4, steps: 12 };
        let table =
            [(0, 0.1), (1, 0.2), (3, 0.4), (4, 0.4), (6, 0.341_421), (8, 0.2), (10, 0.058_578), (12, 0.0), (99, 0.0)];
        let wrong: Vec<_> = table
            .iter()
            .map(|(step, expected)| (step, expected, schedule.learning_rate(*step)))
            .filter(|(_, expected, found)| (*expected - found).abs() > 1e-5)
            .collect();
        assert!(wrong.is_empty(), "(step, expected, found): {wrong:?}");
    }

    #[test]
    fn rounding_does_not_lift_the_end_of_the_warm_up_above_the_peak() {
        let schedule = Schedule { peak: 0.247_303_753_323_911_77, warmup_steps: 40, steps: 40 };
        assert_eq!(schedule.learning_rate(39), schedule.peak);
    }

    #[test]
    fn without_warm_up_the_first_step_has_the_peak() {
        assert_eq!(Schedule { peak: 0.3, warmup_steps: 0, steps: 5 }.learning_rate(0), 0.3);
    }

    proptest! {
        #[test]
        fn the_rate_never_leaves_its_bounds_and_never_rises_after_the_warm_up(
            peak in 1e-6f64..1.0, warmup in 0u64..50, more in 0u64..50, step in 0u64..200,
        ) {
            let schedule = Schedule { peak, warmup_steps: warmup, steps: warmup + more };
            let (now, next) = (schedule.learning_rate(step), schedule.learning_rate(step + 1));
            prop_assert!((0.0..=peak).contains(&now));
            let falls = next <= now || step + 1 == warmup;
            prop_assert!((step + 1 < warmup && next > now) || (step + 1 >= warmup && falls));
        }
    }
}
