//! What is read of an image file.

use super::reduced;
use crate::Config;

/// How image files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Largest image in pixels.
    pub max_pixels: u64,
    /// Whether a JPEG that is far larger than the model needs is decoded at a quarter of its width and height. That takes less
    /// time and a sixteenth of the pixels, and its numbers differ a little from those of every other pipeline.
    pub reduced_jpeg: bool,
}

impl Reading {
    /// Whether a JPEG of `from` pixels is reduced for a model that wants `to` pixels.
    pub fn reduces(&self, from: [u32; 2], to: [usize; 2]) -> bool {
        self.reduced_jpeg && reduced::suits(from, to)
    }
}

impl From<u64> for Reading {
    fn from(max_pixels: u64) -> Self {
        Self { max_pixels, reduced_jpeg: false }
    }
}

impl From<&Config> for Reading {
    fn from(config: &Config) -> Self {
        Self { max_pixels: config.max_image_pixels, reduced_jpeg: config.reduced_jpeg }
    }
}
