//! Mean and standard deviation of pixels by channel.

use super::DataError;
use super::frame::Frame;

/// Counts of the 256 byte values, channel by channel.
pub(crate) struct Statistics {
    frame: Frame,
    histograms: Vec<[u64; 256]>,
}

impl Statistics {
    /// Of no image yet.
    pub fn new(frame: Frame) -> Self {
        Self { frame, histograms: vec![[0; 256]; frame.channels] }
    }

    /// Adds an image without its padding.
    /// # Shapes
    /// - `image`: `[channels, height, width]`
    pub fn add(&mut self, image: &[u8]) {
        let Frame { native: (rows, columns), height, width, .. } = self.frame;
        let (top, left) = ((height - rows) / 2, (width - columns) / 2);
        for (histogram, plane) in self.histograms.iter_mut().zip(image.chunks_exact(height * width)) {
            for row in plane.chunks_exact(width).skip(top).take(rows) {
                row[left..left + columns].iter().for_each(|&byte| histogram[usize::from(byte)] += 1);
            }
        }
    }

    /// Mean and standard deviation by channel, the byte range being 0 to 1. Exact up to one rounding.
    ///
    /// A channel of one value among others that vary, as opacity often is, gets a deviation of 1, so that it becomes 0.
    /// # Errors
    /// Every channel has one value.
    pub fn finish(&self, name: &str) -> Result<(Vec<f32>, Vec<f32>), DataError> {
        let flat = |histogram: &[u64; 256]| histogram.iter().filter(|&&times| times > 0).count() < 2;
        if self.histograms.iter().all(flat) {
            let value = self.histograms[0].iter().position(|&times| times > 0).unwrap_or_default();
            return Err(DataError::Constant { name: name.to_owned(), value: value as u8 });
        }
        let moments = |histogram: &[u64; 256]| {
            let count = histogram.iter().sum::<u64>() as f64;
            let average = |value: &dyn Fn(f64) -> f64| -> f64 {
                let terms = histogram.iter().zip(0u16..);
                terms.map(|(&times, byte)| times as f64 * value(f64::from(byte) / 255.0)).sum::<f64>() / count
            };
            let mean = average(&|value| value);
            let variance = average(&|value| (value - mean).powi(2));
            (mean as f32, if flat(histogram) { 1.0 } else { variance.sqrt() as f32 })
        };
        Ok(self.histograms.iter().map(moments).unzip())
    }
}
