//! How long a request spent where.

use crate::metrics::Stage;
use std::time::Duration;

/// The longest time that an item of the request spent in each stage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timing {
    /// Image bytes to input tensor.
    pub decode: Duration,
    /// Waiting for the runtime.
    pub queue: Duration,
    /// The batch.
    pub infer: Duration,
}

impl Timing {
    /// The longer time of each stage.
    pub fn max(self, other: Self) -> Self {
        Self {
            decode: self.decode.max(other.decode),
            queue: self.queue.max(other.queue),
            infer: self.infer.max(other.infer),
        }
    }

    /// The value of a `Server-Timing` header, in milliseconds.
    pub fn header(&self) -> String {
        let stages = [(Stage::Decode, self.decode), (Stage::Queue, self.queue), (Stage::Infer, self.infer)];
        let part = |(stage, took): (Stage, Duration)| format!("{};dur={:.3}", stage.name(), took.as_secs_f64() * 1e3);
        stages.map(part).join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_of_each_stage_is_shown() {
        let one = Timing { decode: Duration::from_micros(1500), ..Timing::default() };
        let other = Timing { decode: Duration::from_millis(1), queue: Duration::from_millis(2), infer: Duration::ZERO };
        assert_eq!(one.max(other).header(), "decode;dur=1.500, queue;dur=2.000, infer;dur=0.000");
    }
}
