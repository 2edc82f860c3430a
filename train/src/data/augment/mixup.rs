//! Mixup: the weighted mean of two images.
//!
//! # Source
//! Zhang et al. 2017, "mixup: beyond empirical risk minimization".

use super::mix::Mixing;

pub(super) const MIXING: Mixing = Mixing {
    alpha: |augment| augment.mixup,
    apply: |share, _, images, partners, _| {
        let (own, other) = (share as f32, (1.0 - share) as f32);
        images.iter_mut().zip(partners).for_each(|(value, partner)| *value = *value * own + partner * other);
        share
    },
};
