//! How long a request spent where.

use crate::metrics::{ModelMetrics, Stage};
use std::time::{Duration, Instant};

/// The time that a request spent in each stage; of stages that its items go through the longest.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timing([Duration; Stage::ALL.len()]);

impl Timing {
    /// The same, and so long in this stage as well.
    #[must_use]
    pub fn with(mut self, stage: Stage, took: Duration) -> Self {
        self.0[stage as usize] += took;
        self
    }

    /// The longer time of each stage.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(std::array::from_fn(|stage| self.0[stage].max(other.0[stage])))
    }

    /// Counts the stages that a request goes through once. Those of its items are counted one by one, when they are over.
    pub fn count(&self, metrics: &ModelMetrics) {
        self.stages().filter(|(stage, _)| stage.is_whole()).for_each(|(stage, took)| metrics.stage(stage, took));
    }

    /// The longer of the two in all.
    #[must_use]
    pub fn longer(self, other: Self) -> Self {
        if other.total() > self.total() { other } else { self }
    }

    /// Counts these as the stages of a whole request. They have to be those of one item, the one that took longest: an item is in one
    /// stage at a time, so that they add up to no more than the time of the request.
    pub fn count_request(&self, metrics: &ModelMetrics) {
        self.stages().for_each(|(stage, took)| metrics.request_stage(stage, took));
    }

    fn total(&self) -> Duration {
        self.0.iter().sum()
    }

    /// The value of a `Server-Timing` header, in milliseconds.
    pub fn header(&self) -> String {
        let part = |(stage, took): (Stage, Duration)| format!("{};dur={:.3}", stage.name(), took.as_secs_f64() * 1e3);
        self.stages().map(part).collect::<Vec<_>>().join(", ")
    }

    /// The stages that there were.
    fn stages(&self) -> impl Iterator<Item = (Stage, Duration)> {
        Stage::ALL.into_iter().zip(self.0).filter(|(_, took)| !took.is_zero())
    }
}

/// The value of a `Server-Timing` header for stages that may be none, and the whole time.
pub fn with_total(stages: &str, took: Duration) -> String {
    let separator = if stages.is_empty() { "" } else { ", " };
    format!("{stages}{separator}total;dur={:.3}", took.as_secs_f64() * 1e3)
}

/// Times stages that follow one another.
pub struct Laps {
    /// What has been timed.
    pub timing: Timing,
    last: Instant,
}

impl Laps {
    /// The first stage begins.
    pub fn start() -> Self {
        Self { timing: Timing::default(), last: Instant::now() }
    }

    /// What went on since the last one was this stage.
    pub fn lap(&mut self, stage: Stage) {
        let now = Instant::now();
        self.timing = self.timing.with(stage, now - self.last);
        self.last = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_of_each_stage_that_there_was_is_shown_in_their_order() {
        let ms = Duration::from_millis;
        let one = Timing::default().with(Stage::Decode, Duration::from_micros(1500));
        let other = Timing::default().with(Stage::Queue, ms(2)).with(Stage::Decode, ms(1)).with(Stage::Wait, ms(3));
        let stages = one.max(other).header();
        assert_eq!(stages, "wait;dur=3.000, decode;dur=1.500, queue;dur=2.000");
        assert_eq!(with_total(&stages, ms(9)), format!("{stages}, total;dur=9.000"));
        assert_eq!(with_total("", ms(9)), "total;dur=9.000");
        assert_eq!([one.longer(other), other.longer(one)], [other; 2]);
    }
}
