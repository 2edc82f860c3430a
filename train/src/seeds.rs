//! Randomness as a pure function of the recipe's seed, a purpose and a step, so that a resumed run draws what the
//! uninterrupted one draws, and no purpose disturbs another.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What randomness is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Fresh weights.
    Weights = 1,
    /// Masked patches of a training step.
    Mask = 2,
    /// Burn's own draws in a training step: dropout.
    Dropout = 3,
    /// Masked patches of an evaluation.
    Evaluation = 4,
    /// Noise on the pixels of an evaluation; the step is the image.
    Noise = 5,
}

/// The random numbers of a purpose at a step.
pub(crate) fn generator(seed: u64, purpose: Purpose, step: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&step.to_le_bytes());
    ChaCha8Rng::from_seed(key)
}

/// One number of [`generator`], for what takes a seed of its own.
pub(crate) fn number(seed: u64, purpose: Purpose, step: u64) -> u64 {
    use rand::Rng;
    generator(seed, purpose, step).next_u64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_seed_purpose_and_step_draws_its_own_numbers() {
        let mut seen = BTreeSet::new();
        for seed in 0..5 {
            for purpose in [Purpose::Weights, Purpose::Mask, Purpose::Dropout, Purpose::Evaluation, Purpose::Noise] {
                for step in 0..20 {
                    assert!(seen.insert(number(seed, purpose, step)), "{seed} {purpose:?} {step}");
                    assert_eq!(number(seed, purpose, step), number(seed, purpose, step));
                }
            }
        }
    }
}
