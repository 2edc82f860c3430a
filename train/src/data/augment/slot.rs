//! The place of an image in a run, which decides its random numbers.

use crate::data::random::{Purpose, stream};
use rand_chacha::ChaCha8Rng;

/// Seed, step and place in the batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    pub seed: u64,
    pub step: u64,
    pub slot: u64,
}

impl Slot {
    /// The random numbers of a purpose; no change of an image disturbs those of another.
    pub fn random(self, purpose: Purpose) -> ChaCha8Rng {
        stream(purpose, self.seed, [self.step, self.slot])
    }
}
