//! Other brightness, contrast, saturation and hue, in random order.

use super::{Augment, Picture, Slot, check_probability, enhance, hue};
use crate::data::DataError;
use crate::data::random::Purpose;
use rand::RngExt;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

/// How far colours may change.
///
/// # Source
/// torchvision's `ColorJitter`; Chen et al. 2020, "A simple framework", appendix A, has 0.8, 0.8, 0.8, 0.2 with a
/// probability of 0.8.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ColorJitter {
    /// Part of the images to which it happens; 0 switches it off, torchvision has 1.
    pub probability: f64,
    /// The factor is between `max(0, 1 - brightness)` and `1 + brightness`.
    pub brightness: f64,
    /// As `brightness`.
    pub contrast: f64,
    /// As `brightness`; grey images have none.
    pub saturation: f64,
    /// Largest turn of the hue, a part of the circle, at most 0.5; grey images have none.
    pub hue: f64,
}

pub(super) fn change(augment: &Augment, slot: Slot, picture: &mut Picture) -> Result<(), DataError> {
    let settings = &augment.color_jitter;
    if settings.probability == 0.0 {
        return Ok(());
    }
    let mut random = slot.random(Purpose::ColorJitter);
    if !random.random_bool(settings.probability) {
        return Ok(());
    }
    let mut factor = |range: f64| random.random_range((1.0 - range).max(0.0)..=1.0 + range);
    let factors = [settings.brightness, settings.contrast, settings.saturation].map(&mut factor);
    let turn = random.random_range(-settings.hue..=settings.hue);
    let mut order = [0, 1, 2, 3];
    order.shuffle(&mut random);
    for step in order {
        match step {
            0 => enhance::brightness(picture, factors[0]),
            1 => enhance::contrast(picture, factors[1]),
            2 => enhance::saturation(picture, factors[2]),
            _ if settings.hue > 0.0 => hue::turn(picture, turn),
            _ => {}
        }
    }
    Ok(())
}

impl ColorJitter {
    pub(super) fn check(&self) -> Result<(), String> {
        check_probability("color_jitter", self.probability)?;
        for (key, range) in
            [("brightness", self.brightness), ("contrast", self.contrast), ("saturation", self.saturation)]
        {
            if !(range >= 0.0 && range.is_finite()) {
                return Err(format!("augment.color_jitter.{key} is {range}; it must be at least 0"));
            }
        }
        match (0.0..=0.5).contains(&self.hue) {
            true => Ok(()),
            false => Err(format!("augment.color_jitter.hue is {}; it must be from 0 to 0.5", self.hue)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::augment::tests::{noise, slots};

    #[test]
    fn only_what_is_asked_for_changes() {
        let picture = noise(3, 6, 5);
        let changed = |settings: ColorJitter| {
            let augment = Augment { color_jitter: ColorJitter { probability: 1.0, ..settings }, ..Augment::default() };
            let mut changed = picture.clone();
            change(&augment, slots(1)[0], &mut changed).unwrap();
            changed
        };
        assert_eq!(changed(ColorJitter::default()), picture);
        let off = ColorJitter::default();
        for settings in [
            ColorJitter { brightness: 0.5, ..off },
            ColorJitter { contrast: 0.5, ..off },
            ColorJitter { saturation: 0.5, ..off },
            ColorJitter { hue: 0.5, ..off },
        ] {
            assert_ne!(changed(settings), picture, "{settings:?}");
        }
    }

    #[test]
    fn the_probability_is_the_part_of_the_images_that_change() {
        let jitter = ColorJitter { probability: 0.25, brightness: 0.9, ..ColorJitter::default() };
        let augment = Augment { color_jitter: jitter, ..Augment::default() };
        let picture = noise(1, 5, 5);
        let changes = |slot: &Slot| {
            let mut changed = picture.clone();
            change(&augment, *slot, &mut changed).unwrap();
            changed != picture
        };
        let count = slots(2000).iter().filter(|slot| changes(slot)).count();
        assert!((400..600).contains(&count), "{count} of 2000");
    }
}
