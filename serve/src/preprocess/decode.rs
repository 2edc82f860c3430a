//! Image files to pixels: the header first, then the limit, then the pixels, turned upright.

use super::jpeg::{self, Jpeg};
use super::{reduced, still, unread};
use crate::Error;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, ImageResult, Limits};
use std::io::Cursor;

const READ: [ImageFormat; 5] =
    [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Gif];

/// Their names.
const SENT: &str = "JPEG, PNG, WebP, BMP, or GIF with one frame";

/// Room for tables and metadata beside the pixels.
const OVERHEAD_BYTES: u64 = 64 << 20;

/// An image file whose header is read and found good.
pub struct Opened<'a> {
    bytes: &'a [u8],
    format: ImageFormat,
    decoder: Box<dyn ImageDecoder + 'a>,
    orientation: Orientation,
}

impl<'a> Opened<'a> {
    /// Reads the header of an image of one frame with at most `max_pixels` pixels.
    ///
    /// # Errors
    /// [`Error::Image`] says what is wrong with the image.
    pub fn new(bytes: &'a [u8], max_pixels: u64) -> Result<Self, Error> {
        let format = probe(bytes)?;
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(max_pixels.saturating_mul(8).saturating_add(OVERHEAD_BYTES));
        let mut decoder = decoder(bytes, format, &limits).map_err(|error| unreadable(format, &error))?;
        let (width, height) = decoder.dimensions();
        if u64::from(width) * u64::from(height) > max_pixels {
            return Err(Error::image(format!(
                "is {width} x {height}, more than the {max_pixels} pixels that are allowed"
            )));
        }
        if width == 0 || height == 0 {
            return Err(Error::image("has no pixels"));
        }
        still::check(bytes, format, [width, height], limits)?;
        if format == ImageFormat::Jpeg {
            jpeg::check_complete(bytes)?;
        }
        let orientation = decoder.orientation().map_err(|error| unreadable(format, &error))?;
        Ok(Self { bytes, format, decoder, orientation })
    }

    /// Width and height once it is turned upright.
    pub fn size(&self) -> [u32; 2] {
        let (width, height) = self.decoder.dimensions();
        match self.lies() {
            true => [height, width],
            false => [width, height],
        }
    }

    /// Decodes it and turns it upright.
    ///
    /// # Errors
    /// [`Error::Image`] says what is wrong with the image.
    pub fn decode(self) -> Result<DynamicImage, Error> {
        let Self { format, decoder, orientation, .. } = self;
        let mut image = DynamicImage::from_decoder(decoder).map_err(|error| unreadable(format, &error))?;
        image.apply_orientation(orientation);
        Ok(image)
    }

    /// As [`Opened::decode`], at a quarter of its width and height where it is a JPEG so large that this is enough for `to` pixels.
    ///
    /// # Errors
    /// [`Error::Image`] says what is wrong with the image.
    pub fn decode_for(self, to: [usize; 2]) -> Result<DynamicImage, Error> {
        let reduced = match self.format == ImageFormat::Jpeg && reduced::suits(self.size(), to) {
            true => reduced::decode(self.bytes, self.decoder.dimensions().into()),
            false => None,
        };
        let Some(mut image) = reduced else { return self.decode() };
        image.apply_orientation(self.orientation);
        Ok(image)
    }

    /// Whether its sides change places when it is turned.
    fn lies(&self) -> bool {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        matches!(self.orientation, Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH)
    }
}

/// What decodes an image, its header read.
fn decoder<'a>(bytes: &'a [u8], format: ImageFormat, limits: &Limits) -> ImageResult<Box<dyn ImageDecoder + 'a>> {
    if format == ImageFormat::Jpeg {
        return Ok(Box::new(Jpeg::new(bytes)?));
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits.clone());
    Ok(Box::new(reader.into_decoder()?))
}

/// Decodes an image of one frame with at most `max_pixels` pixels and applies its EXIF orientation.
///
/// # Errors
/// [`Error::Image`] says what is wrong with the image.
pub fn decode(bytes: &[u8], max_pixels: u64) -> Result<DynamicImage, Error> {
    Opened::new(bytes, max_pixels)?.decode()
}

fn unreadable(format: ImageFormat, error: &ImageError) -> Error {
    Error::image(format!("is not a readable {}: {error}", name(format)))
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
        _ => Err(Error::image(match unread::name(bytes) {
            Some(name) => format!("is {name}, which is not read here; send {SENT}"),
            None => format!("is not an image that is read here: {SENT}"),
        })),
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
