//! A random part of the image, resized to the size of the image.

use super::{Augment, Picture, Slot, check_probability, check_range};
use crate::data::DataError;
use crate::data::frame::Window;
use crate::data::random::Purpose;
use crate::data::resample::resample;
use fast_image_resize::PixelType;
use fast_image_resize::images::Image;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// Parts that are tried before the largest one of a possible shape is taken.
const TRIES: usize = 10;

/// How a part of an image is chosen.
///
/// # Source
/// Szegedy et al. 2014, section 6; torchvision's `RandomResizedCrop`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResizedCrop {
    /// Part of the images to which it happens; 0 switches it off, torchvision has 1.
    pub probability: f64,
    /// Least and largest part of the area.
    pub scale: [f64; 2],
    /// Least and largest width of the part for a height of 1.
    pub ratio: [f64; 2],
}

impl Default for ResizedCrop {
    fn default() -> Self {
        Self { probability: 0.0, scale: [0.08, 1.0], ratio: [3.0 / 4.0, 4.0 / 3.0] }
    }
}

pub(super) fn change(augment: &Augment, slot: Slot, picture: &mut Picture) -> Result<(), DataError> {
    if let Some(window) = augment.resized_crop.window(slot, picture.height, picture.width) {
        *picture = cut(picture, window).map_err(|reason| DataError::ResizedCrop { reason })?;
    }
    Ok(())
}

impl ResizedCrop {
    pub(super) fn check(&self) -> Result<(), String> {
        check_probability("resized_crop", self.probability)?;
        check_range("resized_crop.scale", self.scale, 1.0)?;
        check_range("resized_crop.ratio", self.ratio, f64::INFINITY)
    }

    /// The part of an image that a slot gets, where it gets one.
    pub(crate) fn window(&self, slot: Slot, height: usize, width: usize) -> Option<Window> {
        if self.probability == 0.0 {
            return None;
        }
        let mut random = slot.random(Purpose::ResizedCrop);
        random.random_bool(self.probability).then(|| self.draw(height, width, &mut random))
    }

    fn draw(&self, height: usize, width: usize, random: &mut impl Rng) -> Window {
        let area = (height * width) as f64;
        let [low, high] = self.ratio.map(f64::ln);
        for _ in 0..TRIES {
            let area = area * random.random_range(self.scale[0]..=self.scale[1]);
            let ratio = random.random_range(low..=high).exp();
            let [wide, tall] = [area * ratio, area / ratio].map(|square| square.sqrt().round_ties_even() as usize);
            if (1..=width).contains(&wide) && (1..=height).contains(&tall) {
                let top = random.random_range(0..=(height - tall) as u64) as usize;
                let left = random.random_range(0..=(width - wide) as u64) as usize;
                return Window { top, left, height: tall, width: wide };
            }
        }
        self.centre(height, width)
    }

    /// The largest centred part whose shape is possible.
    fn centre(&self, height: usize, width: usize) -> Window {
        let shape = width as f64 / height as f64;
        let [low, high] = self.ratio;
        let whole = |side: f64, most: usize| (side.round_ties_even() as usize).clamp(1, most);
        let (tall, wide) = if shape < low {
            (whole(width as f64 / low, height), width)
        } else if shape > high {
            (height, whole(height as f64 * high, width))
        } else {
            (height, width)
        };
        Window { top: (height - tall) / 2, left: (width - wide) / 2, height: tall, width: wide }
    }
}

/// A part of a picture in the size of the picture.
fn cut(picture: &Picture, window: Window) -> Result<Picture, String> {
    let Picture { channels, height, width, .. } = *picture;
    let side = |side: usize| u32::try_from(side).map_err(|error| error.to_string());
    let mut bytes = Vec::with_capacity(picture.bytes.len());
    for plane in picture.bytes.chunks_exact(picture.plane()) {
        let rows = plane.chunks_exact(width).skip(window.top).take(window.height);
        let part: Vec<u8> = rows.flat_map(|row| &row[window.left..][..window.width]).copied().collect();
        let part = Image::from_vec_u8(side(window.width)?, side(window.height)?, part, PixelType::U8)
            .map_err(|error| error.to_string())?;
        bytes.extend(resample(part, side(width)?, side(height)?)?.into_vec());
    }
    Ok(Picture { channels, height, width, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::augment::tests::{pillow, slots};

    #[test]
    fn parts_stay_in_the_image_and_keep_their_area_and_shape() {
        let settings = ResizedCrop { probability: 1.0, scale: [0.2, 0.8], ratio: [0.5, 2.0] };
        let mut areas = Vec::new();
        for slot in slots(2000) {
            let window = settings.draw(40, 60, &mut slot.random(Purpose::ResizedCrop));
            assert!(window.top + window.height <= 40 && window.left + window.width <= 60, "{window:?}");
            let (area, ratio) = ((window.height * window.width) as f64, window.width as f64 / window.height as f64);
            assert!((0.17..0.84).contains(&(area / 2400.0)) && (0.45..2.2).contains(&ratio), "{window:?}");
            areas.push(area / 2400.0);
        }
        let mean = areas.iter().sum::<f64>() / areas.len() as f64;
        assert!((0.42..0.55).contains(&mean), "{mean}");
    }

    #[test]
    fn without_a_fitting_part_the_largest_centred_one_is_taken() {
        let settings = ResizedCrop { probability: 1.0, ratio: [1.0, 1.0], scale: [1.0, 1.0] };
        let window = settings.draw(10, 30, &mut slots(1)[0].random(Purpose::ResizedCrop));
        assert_eq!(window, Window { top: 0, left: 10, height: 10, width: 10 });
        assert_eq!(settings.centre(30, 10), Window { top: 10, left: 0, height: 10, width: 10 });
    }

    #[test]
    fn a_part_is_resized_as_pillow_resizes_it() {
        for case in pillow("resized_crop") {
            let [top, left, height, width] = [0, 1, 2, 3].map(|place| case.numbers[place] as usize);
            let found = cut(&case.input, Window { top, left, height, width }).unwrap();
            let largest = found.bytes.iter().zip(&case.output).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(largest <= Some(1), "{:?}: off by {largest:?}", case.numbers);
        }
    }
}
