//! Random crop of a padded image, and horizontal flip.

use super::{Augment, Picture, Slot};
use crate::data::DataError;
use crate::data::random::Purpose;
use rand::RngExt;

/// What happens to one image: the cut starts `top` rows and `left` columns into the padded image, then comes the flip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Draw {
    top: usize,
    left: usize,
    flip: bool,
}

pub(super) fn change(augment: &Augment, slot: Slot, picture: &mut Picture) -> Result<(), DataError> {
    let draw = draw(augment, slot);
    let mut bytes = Vec::with_capacity(picture.bytes.len());
    for plane in picture.bytes.chunks_exact(picture.plane()) {
        append_plane(draw, augment.crop_padding, plane, picture.width, &mut bytes);
    }
    picture.bytes = bytes;
    Ok(())
}

/// What happens in a slot. All three numbers are always drawn, so that one setting leaves the others alone.
fn draw(augment: &Augment, slot: Slot) -> Draw {
    let mut random = slot.random(Purpose::Augment);
    let range = 0..=2 * augment.crop_padding as u32;
    let top = random.random_range(range.clone()) as usize;
    let left = random.random_range(range) as usize;
    Draw { top, left, flip: random.random_bool(0.5) && augment.flip }
}

/// Appends one plane of an image, cropped and flipped in one pass.
fn append_plane(draw: Draw, padding: usize, plane: &[u8], width: usize, target: &mut Vec<u8>) {
    let height = plane.len() / width;
    let columns = Window::new(draw.left, padding, width);
    for row in 0..height {
        let Some(row) = (row + draw.top).checked_sub(padding).filter(|&row| row < height) else {
            target.extend(std::iter::repeat_n(0, width));
            continue;
        };
        let seen = &plane[row * width..][columns.from..columns.to];
        let (before, after) = if draw.flip { (columns.after, columns.before) } else { (columns.before, columns.after) };
        target.extend(std::iter::repeat_n(0, before));
        if draw.flip {
            target.extend(seen.iter().rev())
        } else {
            target.extend(seen)
        }
        target.extend(std::iter::repeat_n(0, after));
    }
}

/// The columns of the image that a cut shows, and the black ones on both sides.
struct Window {
    before: usize,
    from: usize,
    to: usize,
    after: usize,
}

impl Window {
    fn new(left: usize, padding: usize, width: usize) -> Self {
        let before = padding.saturating_sub(left).min(width);
        let from = left.saturating_sub(padding).min(width);
        let to = (from + width - before).min(width);
        Self { before, from, to, after: width - before - (to - from) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::augment::tests::slots;
    use proptest::prelude::*;

    /// The definition, written out: pad, cut, flip.
    fn reference(padding: usize, draw: Draw, plane: &[u8], width: usize) -> Vec<u8> {
        let height = plane.len() / width;
        let (padded_height, padded_width) = (height + 2 * padding, width + 2 * padding);
        let mut padded = vec![0; padded_height * padded_width];
        for row in 0..height {
            for column in 0..width {
                padded[(row + padding) * padded_width + column + padding] = plane[row * width + column];
            }
        }
        let mut bytes = Vec::new();
        for row in 0..height {
            for column in 0..width {
                let column = if draw.flip { width - 1 - column } else { column };
                bytes.push(padded[(row + draw.top) * padded_width + column + draw.left]);
            }
        }
        bytes
    }

    fn settings(crop_padding: usize, flip: bool) -> Augment {
        Augment { crop_padding, flip, ..Augment::default() }
    }

    #[test]
    fn draws_stay_in_bounds_and_reach_them() {
        let augment = settings(2, true);
        let draws: Vec<Draw> = slots(4000).into_iter().map(|slot| draw(&augment, slot)).collect();
        for value in 0..=4 {
            let tops = draws.iter().filter(|draw| draw.top == value).count();
            let lefts = draws.iter().filter(|draw| draw.left == value).count();
            assert!((650..950).contains(&tops) && (650..950).contains(&lefts), "{value}: {tops} {lefts}");
        }
        assert!(draws.iter().all(|draw| draw.top <= 4 && draw.left <= 4));
        let flips = draws.iter().filter(|draw| draw.flip).count();
        assert!((1800..2200).contains(&flips), "{flips} of 4000");
    }

    #[test]
    fn draws_stay_the_same_from_release_to_release() {
        // A run that resumes after an update of the crate relies on these numbers.
        let draws =
            [(0, 0), (0, 1), (1, 0)].map(|(step, slot)| draw(&settings(4, true), Slot { seed: 42, step, slot }));
        let draw = |top, left, flip| Draw { top, left, flip };
        assert_eq!(draws, [draw(2, 3, true), draw(5, 3, false), draw(6, 3, true)]);
    }

    #[test]
    fn flip_leaves_the_crop_alone() {
        let draw = |flip| draw(&settings(4, flip), Slot { seed: 9, step: 1, slot: 2 });
        assert_eq!((draw(true).top, draw(true).left), (draw(false).top, draw(false).left));
    }

    proptest! {
        #[test]
        fn one_pass_equals_pad_cut_flip(
            height in 1usize..7, width in 1usize..7, crop_padding in 0usize..9, flip: bool, seed: u64, pixel: u8,
        ) {
            let plane: Vec<u8> = (0..height * width).map(|index| (index as u8).wrapping_mul(37) ^ pixel).collect();
            let draw = draw(&settings(crop_padding, flip), Slot { seed, step: 0, slot: 0 });
            let mut bytes = Vec::new();
            append_plane(draw, crop_padding, &plane, width, &mut bytes);
            prop_assert_eq!(bytes, reference(crop_padding, draw, &plane, width));
        }
    }
}
