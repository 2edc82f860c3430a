//! Random crop of a padded image, and horizontal flip.

use super::random::{Purpose, stream};
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// What may happen to a training image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Black pixels that are put on all sides before a random part of the old size is cut out; 0 switches it off.
    pub crop_padding: usize,
    /// Mirrors one image of two, left to right.
    pub flip: bool,
}

/// What happens to one image: the cut starts `top` rows and `left` columns into the padded image, then comes the flip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Draw {
    pub top: usize,
    pub left: usize,
    pub flip: bool,
}

impl Augment {
    /// What happens in a slot of a step. All three numbers are always drawn, so that one setting leaves the others alone.
    pub(crate) fn draw(self, seed: u64, step: u64, slot: u64) -> Draw {
        let mut random = stream(Purpose::Augment, seed, [step, slot]);
        let range = 0..=2 * self.crop_padding as u32;
        let top = random.random_range(range.clone()) as usize;
        let left = random.random_range(range) as usize;
        Draw { top, left, flip: random.random_bool(0.5) && self.flip }
    }

    /// Appends one plane of an image, cropped, flipped and normalised in one pass.
    pub(crate) fn append_plane(
        self,
        draw: Draw,
        plane: &[u8],
        width: usize,
        table: &[f32; 256],
        target: &mut Vec<f32>,
    ) {
        let height = plane.len() / width;
        let black = table[0];
        let columns = Window::new(draw.left, self.crop_padding, width);
        for row in 0..height {
            let Some(row) = (row + draw.top).checked_sub(self.crop_padding).filter(|&row| row < height) else {
                target.extend(std::iter::repeat_n(black, width));
                continue;
            };
            let seen = plane[row * width..][columns.from..columns.to].iter().map(|&byte| table[usize::from(byte)]);
            let (before, after) =
                if draw.flip { (columns.after, columns.before) } else { (columns.before, columns.after) };
            target.extend(std::iter::repeat_n(black, before));
            if draw.flip {
                target.extend(seen.rev())
            } else {
                target.extend(seen)
            }
            target.extend(std::iter::repeat_n(black, after));
        }
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
mod tests;
