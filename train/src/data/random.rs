//! Random numbers as a pure function of a purpose, a seed and a position, so that no generator needs saving.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What the numbers are for; two purposes never share a stream.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// The order of an epoch; the position is the epoch.
    Epoch = 1,
    /// Padded crop and flip of a slot; the position is the step and the slot.
    Augment = 2,
    /// The choice of labelled images; the position is the class.
    Labels = 3,
    /// The choice of images that are held out for testing; the position is the class.
    HeldOut = 4,
    /// The part of an image that is resized; as all that follow, the position is the step and the slot.
    ResizedCrop = 5,
    /// Operations of RandAugment.
    RandAugment = 6,
    /// Factors of colours, and their order.
    ColorJitter = 7,
    /// Which images lose their colours.
    Grayscale = 8,
    /// The rectangle that is erased.
    RandomErasing = 9,
    /// How the images of a batch are mixed; the slot is the first one.
    Mix = 10,
    /// The choice of images that the best step is found by; the position is the class.
    Validation = 11,
}

/// The generator of a position. Every word of the key is one argument, so that no two positions share a key.
pub(crate) fn stream(purpose: Purpose, seed: u64, position: [u64; 2]) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (bytes, word) in key.chunks_exact_mut(8).zip([purpose as u64, seed, position[0], position[1]]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;
    use std::collections::HashSet;

    #[test]
    fn every_argument_changes_the_stream() {
        let first = |purpose, seed, a, b| stream(purpose, seed, [a, b]).next_u64();
        let values = [
            first(Purpose::Epoch, 1, 0, 0),
            first(Purpose::Augment, 1, 0, 0),
            first(Purpose::Labels, 1, 0, 0),
            first(Purpose::Epoch, 2, 0, 0),
            first(Purpose::Epoch, 1, 1, 0),
            first(Purpose::Epoch, 1, 0, 1),
        ];
        assert_eq!(values.iter().collect::<HashSet<_>>().len(), values.len(), "{values:?}");
        assert_eq!(first(Purpose::Epoch, 1, 0, 0), values[0]);
    }
}
