//! RandAugment: some of fourteen operations, one after the other, all at one strength.

use super::{Augment, Picture, Slot, affine, enhance, tone};
use crate::data::DataError;
use crate::data::random::Purpose;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// Largest strength.
const STRONGEST: u32 = 30;

/// How many operations, and how strong.
///
/// # Source
/// Cubuk et al. 2019, "RandAugment"; the operations and their ranges are those of torchvision's `RandAugment`, nearest
/// pixels and black outside included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandAugment {
    /// Operations an image; 0 switches it off, torchvision has 2.
    pub operations: usize,
    /// Strength, from 0 to 30.
    pub magnitude: u32,
}

impl Default for RandAugment {
    fn default() -> Self {
        Self { operations: 0, magnitude: 9 }
    }
}

/// One operation.
pub(super) struct Operation {
    /// Whether one strength of two is negative.
    is_signed: bool,
    /// At a part of the largest magnitude, for a picture.
    strength: fn(f64, &Picture) -> f64,
    pub apply: fn(&mut Picture, f64),
}

/// By name, in torchvision's order.
pub(super) const OPERATIONS: &[(&str, Operation)] = &[
    ("identity", Operation { is_signed: false, strength: |_, _| 0.0, apply: |_, _| {} }),
    (
        "shear_x",
        Operation {
            is_signed: true,
            strength: |part, _| 0.3 * part,
            apply: |picture, slope| *picture = affine::shear_x(picture, slope),
        },
    ),
    (
        "shear_y",
        Operation {
            is_signed: true,
            strength: |part, _| 0.3 * part,
            apply: |picture, slope| *picture = affine::shear_y(picture, slope),
        },
    ),
    (
        "translate_x",
        Operation {
            is_signed: true,
            strength: |part, picture| 150.0 / 331.0 * picture.width as f64 * part,
            apply: |picture, pixels| *picture = affine::translate_x(picture, pixels),
        },
    ),
    (
        "translate_y",
        Operation {
            is_signed: true,
            strength: |part, picture| 150.0 / 331.0 * picture.height as f64 * part,
            apply: |picture, pixels| *picture = affine::translate_y(picture, pixels),
        },
    ),
    (
        "rotate",
        Operation {
            is_signed: true,
            strength: |part, _| 30.0 * part,
            apply: |picture, degrees| *picture = affine::rotate(picture, degrees),
        },
    ),
    (
        "brightness",
        Operation {
            is_signed: true,
            strength: |part, _| 0.9 * part,
            apply: |picture, more| enhance::brightness(picture, 1.0 + more),
        },
    ),
    (
        "color",
        Operation {
            is_signed: true,
            strength: |part, _| 0.9 * part,
            apply: |picture, more| enhance::saturation(picture, 1.0 + more),
        },
    ),
    (
        "contrast",
        Operation {
            is_signed: true,
            strength: |part, _| 0.9 * part,
            apply: |picture, more| enhance::contrast(picture, 1.0 + more),
        },
    ),
    (
        "sharpness",
        Operation {
            is_signed: true,
            strength: |part, _| 0.9 * part,
            apply: |picture, more| enhance::sharpness(picture, 1.0 + more),
        },
    ),
    (
        "posterize",
        Operation {
            is_signed: false,
            strength: |part, _| 8.0 - (4.0 * part).round_ties_even(),
            apply: |picture, bits| tone::posterize(picture, bits as u32),
        },
    ),
    (
        "solarize",
        Operation {
            is_signed: false,
            strength: |part, _| 255.0 * (1.0 - part),
            apply: |picture, threshold| tone::solarize(picture, threshold),
        },
    ),
    (
        "auto_contrast",
        Operation { is_signed: false, strength: |_, _| 0.0, apply: |picture, _| tone::auto_contrast(picture) },
    ),
    ("equalize", Operation { is_signed: false, strength: |_, _| 0.0, apply: |picture, _| tone::equalize(picture) }),
];

pub(super) fn change(augment: &Augment, slot: Slot, picture: &mut Picture) -> Result<(), DataError> {
    let RandAugment { operations, magnitude } = augment.rand_augment;
    let mut random = slot.random(Purpose::RandAugment);
    for _ in 0..operations {
        let (_, operation) = &OPERATIONS[random.random_range(0..OPERATIONS.len() as u32) as usize];
        let is_negative = random.random_bool(0.5) && operation.is_signed;
        let strength = (operation.strength)(f64::from(magnitude) / f64::from(STRONGEST), picture);
        (operation.apply)(picture, if is_negative { -strength } else { strength });
    }
    Ok(())
}

impl RandAugment {
    pub(super) fn check(&self) -> Result<(), String> {
        match self.magnitude <= STRONGEST {
            true => Ok(()),
            false => {
                Err(format!("augment.rand_augment.magnitude is {}; it must be at most {STRONGEST}", self.magnitude))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::augment::tests::{noise, pillow, slots};

    #[test]
    fn every_operation_gives_pillow_s_bytes() {
        let mut wrong = Vec::new();
        for (name, operation) in OPERATIONS {
            let cases = pillow(name);
            assert!(cases.len() >= 2, "{name} has {} cases", cases.len());
            for case in cases {
                let mut found = case.input.clone();
                (operation.apply)(&mut found, case.numbers[0]);
                let differing = found.bytes.iter().zip(&case.output).filter(|(found, wanted)| found != wanted).count();
                if differing > 0 {
                    let channels = case.input.channels;
                    wrong.push(format!("{name} {:?}, {channels} channels: {differing}", case.numbers));
                }
            }
        }
        assert!(wrong.is_empty(), "bytes that differ: {wrong:#?}");
    }

    #[test]
    fn strengths_are_torchvision_s() {
        let picture = noise(3, 331, 662);
        let strengths =
            |magnitude: f64| OPERATIONS.iter().map(move |(_, operation)| (operation.strength)(magnitude, &picture));
        let found: Vec<f64> = strengths(0.3).map(|strength| (strength * 1e6).round() / 1e6).collect();
        assert_eq!(found, [0.0, 0.09, 0.09, 90.0, 45.0, 9.0, 0.27, 0.27, 0.27, 0.27, 7.0, 178.5, 0.0, 0.0]);
    }

    #[test]
    fn all_operations_come_and_in_both_directions() {
        let augment = Augment { rand_augment: RandAugment { operations: 1, magnitude: 30 }, ..Augment::default() };
        let mut seen = std::collections::BTreeSet::new();
        for slot in slots(600) {
            let mut picture = noise(3, 32, 32);
            // Not all bytes, so that auto-contrast has something to stretch.
            picture.bytes.iter_mut().for_each(|byte| *byte = *byte / 2 + 30);
            change(&augment, slot, &mut picture).unwrap();
            seen.insert(picture.bytes);
        }
        // Nine signed operations with two results each, five others.
        assert_eq!(seen.len(), 23);
    }
}
