//! A blank rectangle, as if something stood in front of the image.

use super::{Augment, Slot, check_probability, check_range};
use crate::data::random::Purpose;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Rectangles that are tried before the image is left alone.
const TRIES: usize = 10;

/// How a rectangle is chosen. It gets the mean colour of the data set: 0 after normalisation.
///
/// # Source
/// Zhong et al. 2017, "Random erasing"; torchvision's `RandomErasing`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RandomErasing {
    /// Part of the images to which it happens; 0 switches it off, torchvision has 0.5.
    pub probability: f64,
    /// Least and largest part of the area.
    pub scale: [f64; 2],
    /// Least and largest height of the rectangle for a width of 1.
    pub ratio: [f64; 2],
}

impl Default for RandomErasing {
    fn default() -> Self {
        Self { probability: 0.0, scale: [0.02, 0.33], ratio: [0.3, 3.3] }
    }
}

pub(super) fn change(augment: &Augment, slot: Slot, numbers: &mut [f32], [_, height, width]: [usize; 3]) {
    let settings = &augment.random_erasing;
    if settings.probability == 0.0 {
        return;
    }
    let mut random = slot.random(Purpose::RandomErasing);
    if !random.random_bool(settings.probability) {
        return;
    }
    if let Some((rows, columns)) = settings.draw(height, width, &mut random) {
        for plane in numbers.chunks_exact_mut(height * width) {
            plane
                .chunks_exact_mut(width)
                .skip(rows.start)
                .take(rows.len())
                .for_each(|row| row[columns.clone()].fill(0.0));
        }
    }
}

impl RandomErasing {
    pub(super) fn check(&self) -> Result<(), String> {
        check_probability("random_erasing", self.probability)?;
        check_range("random_erasing.scale", self.scale, 1.0)?;
        check_range("random_erasing.ratio", self.ratio, f64::INFINITY)
    }

    /// Rows and columns of a rectangle that is smaller than the image.
    fn draw(&self, height: usize, width: usize, random: &mut impl Rng) -> Option<(Range<usize>, Range<usize>)> {
        let area = (height * width) as f64;
        let [low, high] = self.ratio.map(f64::ln);
        for _ in 0..TRIES {
            let area = area * random.random_range(self.scale[0]..=self.scale[1]);
            let ratio = random.random_range(low..=high).exp();
            let [tall, wide] = [area * ratio, area / ratio].map(|square| square.sqrt().round_ties_even() as usize);
            if tall < height && wide < width {
                let top = random.random_range(0..=(height - tall) as u64) as usize;
                let left = random.random_range(0..=(width - wide) as u64) as usize;
                return Some((top..top + tall, left..left + wide));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::augment::tests::slots;

    #[test]
    fn one_rectangle_of_the_asked_area_is_blank_in_all_channels() {
        let random_erasing = RandomErasing { probability: 1.0, scale: [0.1, 0.3], ratio: [0.5, 2.0] };
        let augment = Augment { random_erasing, ..Augment::default() };
        for slot in slots(300) {
            let mut numbers = vec![1.0; 2 * 20 * 30];
            change(&augment, slot, &mut numbers, [2, 20, 30]);
            let (first, second) = numbers.split_at(600);
            assert_eq!(first, second);
            let blank: Vec<usize> = (0..600).filter(|place| first[*place] == 0.0).collect();
            let sides = |of: fn(usize) -> usize| {
                let places = blank.iter().map(|place| of(*place));
                places.clone().max().unwrap() - places.min().unwrap() + 1
            };
            assert_eq!(sides(|place| place / 30) * sides(|place| place % 30), blank.len(), "no rectangle");
            assert!((50..=190).contains(&blank.len()), "{} of 600", blank.len());
        }
    }

    #[test]
    fn a_rectangle_that_cannot_fit_leaves_the_image_alone() {
        let settings = RandomErasing { probability: 1.0, scale: [1.0, 1.0], ratio: [1.0, 1.0] };
        assert_eq!(settings.draw(8, 8, &mut slots(1)[0].random(Purpose::RandomErasing)), None);
    }
}
