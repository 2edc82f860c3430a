//! Animated images are refused: which frame was meant, nobody knows. No pixel is decoded for that.

use super::decode::name;
use super::{gif, webp};
use crate::Error;
use image::codecs::png::PngDecoder;
use image::{ImageFormat, Limits};
use std::io::Cursor;

/// Checks that an image of `width` x `height` has one frame.
///
/// # Errors
/// [`Error::Image`] when it has more, or cannot be read.
pub fn check(bytes: &[u8], format: ImageFormat, [width, height]: [u32; 2], limits: Limits) -> Result<(), Error> {
    let animated = match format {
        ImageFormat::Png => PngDecoder::with_limits(Cursor::new(bytes), limits)
            .and_then(|decoder| decoder.is_apng())
            .map_err(|error| error.to_string()),
        ImageFormat::WebP => webp::is_animated(bytes, width, height),
        ImageFormat::Gif => gif::is_animated(bytes),
        _ => Ok(false),
    };
    let name = name(format);
    match animated {
        Ok(false) => Ok(()),
        Ok(true) => Err(Error::image(format!("is an animated {name}; send one frame, since none is chosen for you"))),
        Err(reason) => Err(Error::image(format!("is not a readable {name}: {reason}"))),
    }
}
