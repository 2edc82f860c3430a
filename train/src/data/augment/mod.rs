//! Random changes of training images. Every one is a pure function of the seed, the step and the slot of the image in it.
//!
//! | module | what it holds |
//! |---|---|
//! | `resized_crop` | a part of the image, as large as the image was |
//! | `crop_flip` | a part of the padded image, and its mirror image |
//! | `rand_augment` | some of fourteen operations, at one strength |
//! | `color_jitter`, `grayscale` | other colours, none at all |
//! | `random_erasing` | a blank rectangle |
//! | `mixup`, `cutmix` | two images in one, and both labels |
//! | `affine`, `enhance`, `tone`, `hue` | what the operations above do to pixels |
//! | `picture`, `slot` | one image, and its random numbers |

mod affine;
mod color_jitter;
mod crop_flip;
mod cutmix;
mod enhance;
mod grayscale;
mod hue;
mod mix;
mod mixup;
mod picture;
mod rand_augment;
mod random_erasing;
mod resized_crop;
mod slot;
mod tone;

pub use color_jitter::ColorJitter;
pub use grayscale::Grayscale;
pub use mix::Mix;
pub(crate) use picture::Picture;
pub use rand_augment::RandAugment;
pub use random_erasing::RandomErasing;
pub use resized_crop::ResizedCrop;
pub(crate) use slot::Slot;

use super::DataError;
use mix::Mixing;
use serde::{Deserialize, Serialize};

/// A random change of the bytes of an image; it leaves the image alone where its part of the settings is off.
type Change = fn(&Augment, Slot, &mut Picture) -> Result<(), DataError>;

/// In this order: what is cut comes first, so that the rest has less to do.
const CHANGES: &[Change] =
    &[resized_crop::change, crop_flip::change, rand_augment::change, color_jitter::change, grayscale::change];

/// A random change of the normalised numbers of an image, `[channels, height, width]`.
type NumberChange = fn(&Augment, Slot, &mut [f32], [usize; 3]);

const NUMBER_CHANGES: &[NumberChange] = &[random_erasing::change];

/// Each batch is mixed in one of the ways that are on, all equally likely.
const MIXINGS: &[Mixing] = &[mixup::MIXING, cutmix::MIXING];

/// What may happen to a training image. Everything is off by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Black pixels that are put on all sides before a random part of the old size is cut out; 0 switches it off.
    pub crop_padding: usize,
    /// Mirrors one image of two, left to right.
    pub flip: bool,
    /// Alpha of the Beta distribution from which mixup draws the share of each of two images; 0 switches it off.
    pub mixup: f64,
    /// Alpha of the Beta distribution from which CutMix draws the area of a foreign rectangle; 0 switches it off.
    pub cutmix: f64,
    /// A random part of the image, resized to the image.
    pub resized_crop: ResizedCrop,
    /// Some of fourteen operations.
    pub rand_augment: RandAugment,
    /// Brightness, contrast, saturation and hue.
    pub color_jitter: ColorJitter,
    /// Images without colours.
    pub grayscale: Grayscale,
    /// A blank rectangle.
    pub random_erasing: RandomErasing,
}

impl Augment {
    /// Checks what the types cannot say.
    pub(crate) fn check(&self) -> Result<(), String> {
        for (key, alpha) in [("augment.mixup", self.mixup), ("augment.cutmix", self.cutmix)] {
            if !(alpha >= 0.0 && alpha.is_finite()) {
                return Err(format!("{key} is {alpha}; it must be at least 0, and 0 is off"));
            }
        }
        self.resized_crop.check()?;
        self.rand_augment.check()?;
        self.color_jitter.check()?;
        self.grayscale.check()?;
        self.random_erasing.check()
    }

    /// Whether images are mixed, and with them their labels.
    pub(crate) fn is_mixing(&self) -> bool {
        MIXINGS.iter().any(|mixing| (mixing.alpha)(self) > 0.0)
    }

    /// Changes the bytes of an image.
    pub(crate) fn change(&self, slot: Slot, picture: &mut Picture) -> Result<(), DataError> {
        CHANGES.iter().try_for_each(|change| change(self, slot, picture))
    }

    /// Changes the normalised numbers of an image, `[channels, height, width]`.
    pub(crate) fn change_numbers(&self, slot: Slot, numbers: &mut [f32], shape: [usize; 3]) {
        NUMBER_CHANGES.iter().for_each(|change| change(self, slot, numbers, shape));
    }

    /// Mixes the images of a batch, `[batch, channels, height, width]`, where that is on; the first slot of the step decides how.
    pub(crate) fn mix(&self, slot: Slot, images: &mut [f32], labels: &[i32], shape: [usize; 3]) -> Option<Mix> {
        mix::mix(self, MIXINGS, slot, images, labels, shape)
    }
}

/// Whether a number is a probability, or what is wrong with it.
fn check_probability(key: &str, probability: f64) -> Result<(), String> {
    match (0.0..=1.0).contains(&probability) {
        true => Ok(()),
        false => Err(format!("augment.{key}.probability is {probability}; it must be from 0, which is off, to 1")),
    }
}

/// Whether two numbers are an ascending range above 0, or what is wrong with them.
fn check_range(key: &str, [low, high]: [f64; 2], largest: f64) -> Result<(), String> {
    match low > 0.0 && low <= high && high <= largest {
        true => Ok(()),
        false if largest.is_finite() => Err(format!(
            "augment.{key} is [{low}, {high}]; two ascending numbers above 0 and at most {largest} are needed"
        )),
        false => Err(format!("augment.{key} is [{low}, {high}]; two ascending numbers above 0 are needed")),
    }
}

#[cfg(test)]
mod tests;
