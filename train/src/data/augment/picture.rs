//! One image as bytes, while it is changed.

use crate::data::frame::luma;

/// The bytes of an image, channel by channel: 1 (grey), 3 (RGB) or 4 (RGBA).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Picture {
    pub channels: usize,
    pub height: usize,
    pub width: usize,
    pub bytes: Vec<u8>,
}

impl Picture {
    /// Pixels of a channel.
    pub fn plane(&self) -> usize {
        self.height * self.width
    }

    /// The channels that are colours; transparency is none.
    pub fn colours_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let plane = self.plane();
        self.bytes.chunks_exact_mut(plane).take(3)
    }

    /// Whether there are colours at all.
    pub fn is_grey(&self) -> bool {
        self.channels == 1
    }

    /// Red, green and blue of the pixel at a place of the plane.
    pub fn rgb(&self, place: usize) -> [u8; 3] {
        [0, 1, 2].map(|channel| self.bytes[channel * self.plane() + place])
    }

    /// The brightness of every pixel.
    pub fn luma(&self) -> Vec<u8> {
        match self.is_grey() {
            true => self.bytes.clone(),
            false => (0..self.plane()).map(|place| luma(&self.rgb(place))).collect(),
        }
    }
}
