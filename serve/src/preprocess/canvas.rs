//! An image between two steps.

/// Bytes of an image, row by row, the channels of a pixel side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    pub channels: usize,
    pub bytes: Vec<u8>,
}

impl Canvas {
    /// A black canvas; with four channels it is transparent.
    pub fn black(width: usize, height: usize, channels: usize) -> Self {
        Self { width, height, channels, bytes: vec![0; width * height * channels] }
    }

    /// The bytes of row `y` from pixel `x` on, `width` pixels.
    pub fn row(&self, x: usize, y: usize, width: usize) -> &[u8] {
        let start = (y * self.width + x) * self.channels;
        &self.bytes[start..start + width * self.channels]
    }

    /// As [`Canvas::row`], to write to.
    pub fn row_mut(&mut self, x: usize, y: usize, width: usize) -> &mut [u8] {
        let start = (y * self.width + x) * self.channels;
        &mut self.bytes[start..start + width * self.channels]
    }
}
