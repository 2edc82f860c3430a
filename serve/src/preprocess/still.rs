//! Animated images are refused: which frame was meant, nobody knows.

use super::decode::name;
use crate::Error;
use image::codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::{AnimationDecoder, ImageFormat, ImageResult};
use std::io::Cursor;

/// Checks that the image has one frame.
///
/// # Errors
/// [`Error::Image`] when it has more.
pub fn check(bytes: &[u8], format: ImageFormat) -> Result<(), Error> {
    match animated(bytes, format) {
        Ok(false) => Ok(()),
        Ok(true) => {
            let name = name(format);
            Err(Error::image(format!("is an animated {name}; send one frame, since none is chosen for you")))
        }
        Err(error) => Err(Error::image(format!("is not a readable {}: {error}", name(format)))),
    }
}

fn animated(bytes: &[u8], format: ImageFormat) -> ImageResult<bool> {
    let reader = Cursor::new(bytes);
    match format {
        ImageFormat::Png => PngDecoder::new(reader)?.is_apng(),
        ImageFormat::WebP => Ok(WebPDecoder::new(reader)?.has_animation()),
        ImageFormat::Gif => {
            Ok(GifDecoder::new(reader)?.into_frames().take(2).collect::<ImageResult<Vec<_>>>()?.len() > 1)
        }
        _ => Ok(false),
    }
}
