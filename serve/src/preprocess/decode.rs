//! Image files to pixels: the header first, then the limit, then the pixels, turned upright.

use super::{jpeg, still};
use crate::Error;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

const READ: [ImageFormat; 5] =
    [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Gif];

/// Room for tables and metadata beside the pixels.
const OVERHEAD_BYTES: u64 = 64 << 20;

/// Decodes an image of one frame with at most `max_pixels` pixels and applies its EXIF orientation.
///
/// # Errors
/// [`Error::Image`] says what is wrong with the image.
pub fn decode(bytes: &[u8], max_pixels: u64) -> Result<DynamicImage, Error> {
    let format = probe(bytes)?;
    let unreadable = |error: image::ImageError| Error::image(format!("is not a readable {}: {error}", name(format)));
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(max_pixels.saturating_mul(8).saturating_add(OVERHEAD_BYTES));
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > max_pixels {
        return Err(Error::image(format!("is {width} x {height}, more than the {max_pixels} pixels that are allowed")));
    }
    if width == 0 || height == 0 {
        return Err(Error::image("has no pixels"));
    }
    still::check(bytes, format, [width, height], limits)?;
    if format == ImageFormat::Jpeg {
        jpeg::check_complete(bytes)?;
    }
    let orientation = decoder.orientation().map_err(unreadable)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(unreadable)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// The format of an image by its first bytes.
///
/// # Errors
/// [`Error::Image`] when it is none of those that are read.
pub fn probe(bytes: &[u8]) -> Result<ImageFormat, Error> {
    if bytes.is_empty() {
        return Err(Error::image("is empty"));
    }
    match image::guess_format(bytes) {
        Ok(format) if READ.contains(&format) => Ok(format),
        _ => Err(Error::image("is not an image that is read here: JPEG, PNG, WebP, BMP, or GIF with one frame")),
    }
}

/// The format's usual name.
pub fn name(format: ImageFormat) -> &'static str {
    match format {
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Png => "PNG",
        ImageFormat::WebP => "WebP",
        ImageFormat::Bmp => "BMP",
        ImageFormat::Gif => "GIF",
        _ => "image",
    }
}
