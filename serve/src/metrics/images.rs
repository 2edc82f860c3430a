//! `selfie_image_pixels`: how large the images are that clients send.

use super::register;
use crate::Error;
use prometheus::{Histogram, HistogramOpts, Registry};

/// Metrics of images.
pub struct Images {
    pixels: Histogram,
}

impl Images {
    /// Registers the metric.
    ///
    /// # Errors
    /// The name is taken.
    pub fn new(registry: &Registry) -> Result<Self, Error> {
        // 32 x 32 to 16384 x 16384, each with twice the width and the height of the one before.
        let bounds = (0..10).map(|power| 1024.0 * f64::from(1 << (2 * power))).collect();
        let pixels = HistogramOpts::new("selfie_image_pixels", "Pixels of an image that was read.").buckets(bounds);
        Ok(Self { pixels: register(registry, Histogram::with_opts(pixels))? })
    }

    /// Counts one image.
    pub fn observe(&self, pixels: u64) {
        self.pixels.observe(pixels as f64);
    }
}
