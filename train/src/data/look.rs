//! What a check sees of an image: its shape, a checksum of its pixels, and a small picture to compare with others.

use super::decode::Shape;
use super::sample::Sample;
use image::DynamicImage;
use sha2::{Digest, Sha256};

/// What a check sees of an image.
pub(crate) struct Look {
    pub shape: Shape,
    /// Of the shape and the pixels.
    pub sha256: [u8; 32],
    pub fingerprint: Fingerprint,
}

/// A small grey picture and the signs of its horizontal differences, the "difference hash".
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fingerprint {
    pub hash: u64,
    grey: [u8; COLUMNS * ROWS],
}

const COLUMNS: usize = 9;
const ROWS: usize = 8;
/// Signs that may differ between near images.
pub(crate) const NEAR_BITS: u32 = 3;
/// Mean difference of the small pictures of near images, in grey levels: flat pictures have like signs by chance.
const NEAR_LEVELS: f64 = 3.0;

impl Look {
    /// Decodes an image and looks at it.
    pub fn at(sample: &Sample) -> Result<Self, String> {
        let image = sample.decode()?;
        let color = image.color();
        let shape = Shape {
            height: image.height() as usize,
            width: image.width() as usize,
            channels: match (color.has_color(), color.has_alpha()) {
                (_, true) => 4,
                (true, false) => 3,
                (false, false) => 1,
            },
        };
        let mut digest = Sha256::new();
        for number in [shape.height, shape.width, shape.channels] {
            digest.update((number as u64).to_le_bytes());
        }
        digest.update(image.as_bytes());
        Ok(Self { shape, sha256: digest.finalize().into(), fingerprint: Fingerprint::of(&image) })
    }
}

impl Fingerprint {
    pub(super) fn of(image: &DynamicImage) -> Self {
        let small = image.thumbnail_exact(COLUMNS as u32, ROWS as u32).into_luma8();
        let mut grey = [0; COLUMNS * ROWS];
        grey.copy_from_slice(&small);
        let signs = grey.chunks_exact(COLUMNS).flat_map(|row| row.windows(2).map(|pair| pair[0] < pair[1]));
        Self { hash: signs.fold(0, |hash, sign| hash << 1 | u64::from(sign)), grey }
    }

    /// The brightness of the small picture; near images have the same level or two that lie side by side.
    pub fn level(&self) -> i64 {
        let sum: u32 = self.grey.iter().copied().map(u32::from).sum();
        i64::from(sum) / (NEAR_LEVELS as i64 * (COLUMNS * ROWS) as i64)
    }

    /// Whether two images look alike.
    pub fn is_near(&self, other: &Self) -> bool {
        (self.hash ^ other.hash).count_ones() <= NEAR_BITS
            && f64::from(self.distance(other)) <= NEAR_LEVELS * (COLUMNS * ROWS) as f64
    }

    /// The sum of the differences of the small pictures, in grey levels.
    pub fn distance(&self, other: &Self) -> u32 {
        self.grey.iter().zip(&other.grey).map(|(a, b)| u32::from(a.abs_diff(*b))).sum()
    }
}
