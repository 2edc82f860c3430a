//! Slots of training to samples: every epoch is a permutation of its own, and epochs follow one another without a gap.

use super::random::{Purpose, stream};
use rand::seq::SliceRandom;
use std::sync::{Arc, Mutex, PoisonError};

/// The permutations of the epochs, drawn when they are needed.
pub(crate) struct Epochs {
    seed: u64,
    samples: usize,
    /// The latest permutations; a batch straddles two epochs at most, unless it is larger than an epoch.
    recent: Mutex<Vec<(u64, Arc<[u32]>)>>,
}

const REMEMBERED: usize = 4;

impl Epochs {
    pub fn new(seed: u64, samples: usize) -> Self {
        Self { seed, samples, recent: Mutex::default() }
    }

    /// The samples of consecutive slots, slot `s` being number `s mod samples` of epoch `s / samples`.
    pub fn slots(&self, first: u64, count: usize) -> Vec<usize> {
        let samples = self.samples as u64;
        let mut chosen = Vec::with_capacity(count);
        while chosen.len() < count {
            let slot = first + chosen.len() as u64;
            let start = (slot % samples) as usize;
            let order = self.order(slot / samples);
            let rest = count - chosen.len();
            chosen.extend(order[start..].iter().take(rest).map(|&sample| sample as usize));
        }
        chosen
    }

    fn order(&self, epoch: u64) -> Arc<[u32]> {
        // A permutation is written as a whole, so that a poisoned lock still guards sound ones.
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, order)) = recent.iter().find(|(known, _)| *known == epoch) {
            return order.clone();
        }
        let mut order: Vec<u32> = (0..self.samples as u32).collect();
        order.shuffle(&mut stream(Purpose::Epoch, self.seed, [epoch, 0]));
        let order: Arc<[u32]> = order.into();
        if recent.len() == REMEMBERED {
            recent.remove(0);
        }
        recent.push((epoch, order.clone()));
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_order_stays_the_same_from_release_to_release() {
        // A run that resumes after an update of the crate relies on these numbers.
        assert_eq!(Epochs::new(42, 10).slots(0, 20), [9, 6, 1, 0, 3, 4, 8, 2, 7, 5, 6, 8, 3, 4, 1, 7, 9, 2, 5, 0]);
    }

    #[test]
    fn epochs_and_seeds_differ() {
        let epochs = Epochs::new(7, 100);
        assert_ne!(epochs.slots(0, 100), epochs.slots(100, 100));
        assert_ne!(epochs.slots(0, 100), Epochs::new(8, 100).slots(0, 100));
    }

    proptest! {
        #[test]
        fn every_sample_comes_once_an_epoch(seed: u64, samples in 1usize..60, epoch in 0u64..1000) {
            let mut seen = Epochs::new(seed, samples).slots(epoch * samples as u64, samples);
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..samples).collect::<Vec<_>>());
        }

        #[test]
        fn slots_do_not_depend_on_what_was_asked_before(seed: u64, samples in 1usize..20, first in 0u64..200, count in 1usize..90) {
            let epochs = Epochs::new(seed, samples);
            let whole = epochs.slots(0, first as usize + count);
            prop_assert_eq!(&whole[first as usize..], &Epochs::new(seed, samples).slots(first, count));
        }
    }
}
