//! Images without colours.

use super::{Augment, Picture, Slot, check_probability};
use crate::data::DataError;
use crate::data::random::Purpose;
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// How many images lose their colours.
///
/// # Source
/// torchvision's `RandomGrayscale`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grayscale {
    /// Part of the images to which it happens; 0 switches it off.
    pub probability: f64,
}

pub(super) fn change(augment: &Augment, slot: Slot, picture: &mut Picture) -> Result<(), DataError> {
    let Grayscale { probability } = augment.grayscale;
    if probability > 0.0 && slot.random(Purpose::Grayscale).random_bool(probability) {
        grey(picture);
    }
    Ok(())
}

/// The brightness of every pixel in place of each colour.
fn grey(picture: &mut Picture) {
    let luma = picture.luma();
    picture.colours_mut().for_each(|plane| plane.copy_from_slice(&luma));
}

impl Grayscale {
    pub(super) fn check(&self) -> Result<(), String> {
        check_probability("grayscale", self.probability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::augment::tests::{noise, pillow};

    #[test]
    fn grey_is_pillow_s_grey_and_transparency_stays() {
        for case in pillow("grayscale") {
            let mut found = case.input.clone();
            grey(&mut found);
            assert_eq!(found.bytes, case.output);
        }
        let (before, mut after) = (noise(4, 3, 3), noise(4, 3, 3));
        grey(&mut after);
        assert_eq!(before.bytes[27..], after.bytes[27..]);
        assert_eq!(after.bytes[..9], after.bytes[18..27]);
    }
}
