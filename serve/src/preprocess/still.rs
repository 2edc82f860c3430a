//! Animated images are refused: which frame was meant, nobody knows. No pixel is decoded for that.

use super::decode::name;
use super::{gif, png, webp};
use crate::Error;
use image::ImageFormat;

/// Checks that an image of `width` x `height` has one frame.
///
/// # Errors
/// [`Error::Image`] when it has more, or cannot be read.
pub fn check(bytes: &[u8], format: ImageFormat, [width, height]: [u32; 2]) -> Result<(), Error> {
    let animated = match format {
        ImageFormat::Png => Ok(png::is_animated(bytes)),
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
