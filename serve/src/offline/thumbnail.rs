//! Small pictures beside the vectors, for people who look at them.

use crate::Error;
use crate::preprocess::decode;
use image::codecs::jpeg::JpegEncoder;

/// The longer side of a thumbnail in pixels.
const SIDE: u32 = 96;
const QUALITY: u8 = 80;

/// The image as a small JPEG; one that is small already keeps its size.
///
/// # Errors
/// [`Error::Image`] says what is wrong with the image.
pub fn thumbnail(bytes: &[u8], max_pixels: u64) -> Result<Vec<u8>, Error> {
    let image = decode(bytes, max_pixels)?;
    let small = if image.width().max(image.height()) > SIDE { image.thumbnail(SIDE, SIDE) } else { image };
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
    small.to_rgb8().write_with_encoder(encoder).map_err(|error| Error::image(format!("has no thumbnail: {error}")))?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, ImageFormat, RgbaImage};
    use std::io::Cursor;

    #[test]
    fn a_thumbnail_keeps_the_shape_and_is_never_larger() {
        for (from, to) in [((400, 200), (96, 48)), ((30, 20), (30, 20)), ((2, 1000), (1, 96))] {
            let mut png = Cursor::new(Vec::new());
            DynamicImage::from(RgbaImage::new(from.0, from.1)).write_to(&mut png, ImageFormat::Png).unwrap();
            let small = image::load_from_memory(&thumbnail(png.get_ref(), 1_000_000).unwrap()).unwrap();
            assert_eq!((small.width(), small.height()), to, "{from:?}");
        }
        assert!(thumbnail(b"text", 1_000_000).is_err());
    }
}
