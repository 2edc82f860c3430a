//! Image files to pixels: the header first, then the limit, then the pixels, turned upright.

use super::jpeg::{self, Jpeg};
use super::{png, reduced, still, unread};
use crate::Error;
use image::codecs::png::PngDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, ImageResult, Limits};
use std::io::Cursor;

const READ: [ImageFormat; 5] =
    [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Bmp, ImageFormat::Gif];

/// Their names.
const SENT: &str = "JPEG, PNG, WebP, BMP, or GIF with one frame";

/// Most bytes of a pixel: four channels of 16 bits.
pub const PIXEL_BYTES: u64 = 8;

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
        // Its decoder unpacks what stands before the pixels as soon as it is made.
        if let (ImageFormat::Png, Some(size)) = (format, png::size(bytes)) {
            check_size(size, max_pixels)?;
        }
        let mut decoder = decoder(bytes, format).map_err(|error| unreadable(format, &error))?;
        let size = decoder.dimensions().into();
        check_size(size, max_pixels)?;
        decoder.set_limits(limits(size)).map_err(|error| unreadable(format, &error))?;
        still::check(bytes, format, size)?;
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
fn decoder<'a>(bytes: &'a [u8], format: ImageFormat) -> ImageResult<Box<dyn ImageDecoder + 'a>> {
    Ok(match format {
        ImageFormat::Jpeg => Box::new(Jpeg::new(bytes)?),
        ImageFormat::Png => Box::new(PngDecoder::with_limits(Cursor::new(bytes), png::limits(bytes))?),
        _ => {
            let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
            reader.no_limits();
            Box::new(reader.into_decoder()?)
        }
    })
}

/// Most memory to decode an image of this size.
fn limits([width, height]: [u32; 2]) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some((u64::from(width) * u64::from(height)).saturating_mul(PIXEL_BYTES));
    limits
}

fn check_size([width, height]: [u32; 2], max_pixels: u64) -> Result<(), Error> {
    if u64::from(width) * u64::from(height) > max_pixels {
        let reason = format!("is {width} x {height}, more than the {max_pixels} pixels that are allowed");
        return Err(Error::image(reason));
    }
    if width == 0 || height == 0 {
        return Err(Error::image("has no pixels"));
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use image::ImageEncoder;
    use image::codecs::png::PngEncoder;

    /// A PNG of one pixel with a profile of so many zeros.
    fn png_with_profile(profile_bytes: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = PngEncoder::new(&mut bytes);
        encoder.set_icc_profile(vec![0; profile_bytes]).unwrap();
        encoder.write_image(&[7, 8, 9], 1, 1, image::ExtendedColorType::Rgb8).unwrap();
        bytes
    }

    #[test]
    fn a_profile_that_unpacks_to_far_more_than_the_image_is_left_out() {
        for (profile_bytes, is_kept) in [(1 << 20, true), (16 << 20, false)] {
            let bytes = png_with_profile(profile_bytes);
            assert!(bytes.len() < profile_bytes / 100, "{} bytes", bytes.len());
            let mut opened = Opened::new(&bytes, 50_000_000).unwrap();
            let found = opened.decoder.icc_profile().unwrap().map(|profile| profile.len());
            assert_eq!(found, is_kept.then_some(profile_bytes));
            assert_eq!(opened.decode().unwrap().as_bytes(), [7, 8, 9], "with a profile of {profile_bytes} bytes");
        }
    }

    #[test]
    fn a_png_of_many_pixels_is_refused_before_its_profile_is_unpacked() {
        let mut bytes = png_with_profile(1 << 20);
        // A checksum that is wrong is what its decoder would say first.
        bytes[16..24].copy_from_slice(&[0, 0, 0x80, 0, 0, 0, 0x80, 0]);
        let reason = Opened::new(&bytes, 50_000_000).err().unwrap().to_string();
        assert!(reason.contains("is 32768 x 32768, more than the 50000000 pixels"), "{reason}");
    }
}
