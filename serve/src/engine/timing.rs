//! How long a request spent where.

use crate::metrics::Stage;
use std::time::Duration;

/// The longest time that an item of the request spent in each stage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Timing {
    /// Waiting for a decoder.
    pub wait: Duration,
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
            wait: self.wait.max(other.wait),
            decode: self.decode.max(other.decode),
            queue: self.queue.max(other.queue),
            infer: self.infer.max(other.infer),
        }
    }

    /// The value of a `Server-Timing` header, in milliseconds.
    pub fn header(&self) -> String {
        let stages = [
            (Stage::Wait, self.wait),
            (Stage::Decode, self.decode),
            (Stage::Queue, self.queue),
            (Stage::Infer, self.infer),
        ];
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
        let ms = Duration::from_millis;
        let other = Timing { wait: ms(3), decode: ms(1), queue: ms(2), infer: Duration::ZERO };
        assert_eq!(one.max(other).header(), "wait;dur=3.000, decode;dur=1.500, queue;dur=2.000, infer;dur=0.000");
    }
}
