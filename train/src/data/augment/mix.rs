//! Two images in one: each image of a batch with the one before it, the first with the last.

use super::{Augment, Slot};
use crate::data::random::Purpose;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution};

/// A second label for every image of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Mix {
    /// Part of the image that its own label names; the other label names the rest.
    pub share: f64,
    /// The other labels.
    pub labels: Vec<i32>,
}

/// A way to mix two images.
pub(super) struct Mixing {
    /// Alpha of the Beta distribution of the share; 0 is off.
    pub alpha: fn(&Augment) -> f64,
    pub apply: Apply,
}

/// Mixes every image of the first batch with its partner in the second one, and gives the share that is its own.
type Apply = fn(f64, &mut ChaCha8Rng, &mut [f32], &[f32], [usize; 3]) -> f64;

/// # Source
/// torchvision's `MixUp` and `CutMix`: one share and one partner, the image before, for a whole batch.
pub(super) fn mix(
    augment: &Augment,
    mixings: &[Mixing],
    slot: Slot,
    images: &mut [f32],
    labels: &[i32],
    shape: [usize; 3],
) -> Option<Mix> {
    let on: Vec<&Mixing> = mixings.iter().filter(|mixing| (mixing.alpha)(augment) > 0.0).collect();
    if on.is_empty() {
        return None;
    }
    let mut random = slot.random(Purpose::Mix);
    let mixing = on[random.random_range(0..on.len() as u32) as usize];
    let alpha = (mixing.alpha)(augment);
    let share = Beta::new(alpha, alpha).ok()?.sample(&mut random);
    let mut partners = images.to_vec();
    partners.rotate_right(shape.iter().product());
    let share = (mixing.apply)(share, &mut random, images, &partners, shape);
    let mut labels = labels.to_vec();
    labels.rotate_right(1);
    Some(Mix { share, labels })
}

#[cfg(test)]
mod tests {
    use crate::data::augment::tests::slots;
    use crate::data::augment::{Augment, Slot};

    const SHAPE: [usize; 3] = [2, 8, 6];

    /// Image `i` is `i` everywhere, and so is its label.
    fn mixed(augment: Augment, slot: Slot) -> (Vec<f32>, f64, Vec<i32>) {
        let mut images: Vec<f32> = (0..4).flat_map(|image| [image as f32; 96]).collect();
        let mix = augment.mix(slot, &mut images, &[0, 1, 2, 3], SHAPE).unwrap();
        (images, mix.share, mix.labels)
    }

    #[test]
    fn mixup_weighs_every_pixel_by_the_share_of_the_labels() {
        for slot in slots(50) {
            let (images, share, labels) = mixed(Augment { mixup: 0.4, ..Augment::default() }, slot);
            assert_eq!(labels, [3, 0, 1, 2]);
            for (own, image) in images.chunks_exact(96).enumerate() {
                let expected = share * own as f64 + (1.0 - share) * f64::from(labels[own]);
                assert!(image.iter().all(|value| (f64::from(*value) - expected).abs() < 1e-5), "{own}: {expected}");
            }
        }
    }

    #[test]
    fn cutmix_gives_the_labels_the_share_of_their_pixels() {
        let mut shares = Vec::new();
        for slot in slots(200) {
            let (images, share, labels) = mixed(Augment { cutmix: 1.0, ..Augment::default() }, slot);
            for (own, image) in images.chunks_exact(96).enumerate() {
                let kept = image.iter().filter(|value| **value == own as f32).count();
                let foreign = image.iter().filter(|value| **value == labels[own] as f32).count();
                assert_eq!(kept + foreign, 96);
                assert!((kept as f64 / 96.0 - share).abs() < 1e-9, "{kept} of 96, share {share}");
            }
            shares.push(share);
        }
        assert!(shares.iter().any(|share| *share < 0.6) && shares.iter().any(|share| *share > 0.9), "{shares:?}");
    }

    #[test]
    fn where_both_are_on_each_takes_its_turn() {
        let augment = Augment { cutmix: 1.0, mixup: 1.0, ..Augment::default() };
        let whole = |slot: &Slot| mixed(augment, *slot).0[..96].iter().all(|value| value.fract() == 0.0);
        let cut = slots(200).iter().filter(|slot| whole(slot)).count();
        assert!((70..130).contains(&cut), "{cut} of 200");
    }

    #[test]
    fn the_share_is_drawn_from_the_beta_distribution() {
        // Beta(a, a) has mean 1/2 and variance 1 / (4 (2 a + 1)).
        for alpha in [0.2, 1.0, 4.0] {
            let augment = Augment { mixup: alpha, ..Augment::default() };
            let shares: Vec<f64> = slots(3000).into_iter().map(|slot| mixed(augment, slot).1).collect();
            let mean = shares.iter().sum::<f64>() / 3000.0;
            let variance = shares.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / 3000.0;
            let expected = 1.0 / (4.0 * (2.0 * alpha + 1.0));
            assert!((mean - 0.5).abs() < 0.03 && (variance / expected - 1.0).abs() < 0.1, "{alpha}: {mean} {variance}");
        }
    }
}
