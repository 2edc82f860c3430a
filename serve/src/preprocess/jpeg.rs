//! JPEG files: their headers are read once, and one that ends too early is refused, since the decoder fills the missing part with
//! grey, which would go unnoticed.
//!
//! # Source
//! ITU-T T.81, annex B: markers and segments.

use crate::Error;
use image::error::{DecodingError, ImageError, ImageResult};
use image::{ColorType, ImageDecoder, ImageFormat};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

const START_OF_SCAN: u8 = 0xDA;
const END_OF_IMAGE: u8 = 0xD9;

/// A JPEG whose headers are read. The decoder that comes with `image` is the same and gives the same pixels, but copies the file and
/// reads the headers three times, with their tables.
pub struct Jpeg<'a> {
    decoder: JpegDecoder<ZCursor<&'a [u8]>>,
    size: (u32, u32),
    color: ColorType,
}

impl<'a> Jpeg<'a> {
    /// Reads the headers.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(bytes: &'a [u8]) -> ImageResult<Self> {
        let options =
            DecoderOptions::default().set_strict_mode(false).set_max_width(usize::MAX).set_max_height(usize::MAX);
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
        decoder.decode_headers().map_err(unreadable)?;
        let (width, height) = decoder.dimensions().unwrap_or_default();
        // Everything that is not grey becomes RGB.
        let (space, color) = match decoder.input_colorspace() {
            Some(ColorSpace::Luma) => (ColorSpace::Luma, ColorType::L8),
            _ => (ColorSpace::RGB, ColorType::Rgb8),
        };
        decoder.set_options(options.jpeg_set_out_colorspace(space));
        let side = |side| u32::try_from(side).unwrap_or(u32::MAX);
        Ok(Self { decoder, size: (side(width), side(height)), color })
    }
}

impl ImageDecoder for Jpeg<'_> {
    fn dimensions(&self) -> (u32, u32) {
        self.size
    }

    fn color_type(&self) -> ColorType {
        self.color
    }

    fn exif_metadata(&mut self) -> ImageResult<Option<Vec<u8>>> {
        Ok(self.decoder.exif().cloned())
    }

    fn read_image(mut self, buffer: &mut [u8]) -> ImageResult<()> {
        self.decoder.decode_into(buffer).map_err(unreadable)
    }

    fn read_image_boxed(self: Box<Self>, buffer: &mut [u8]) -> ImageResult<()> {
        (*self).read_image(buffer)
    }
}

fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> ImageError {
    ImageError::Decoding(DecodingError::new(ImageFormat::Jpeg.into(), error))
}

/// Checks that the image has an end: a marker that cannot occur in the compressed data before.
///
/// # Errors
/// [`Error::Image`] when the end is missing.
pub fn check_complete(bytes: &[u8]) -> Result<(), Error> {
    let scan = first_scan(bytes).ok_or_else(|| Error::image("is a truncated JPEG: it ends before its pixels"))?;
    // From the back, where it usually is.
    if bytes[scan..].windows(2).rev().any(|pair| pair == [0xFF, END_OF_IMAGE]) {
        return Ok(());
    }
    Err(Error::image("is a truncated JPEG: its end is missing"))
}

/// Position after the first start-of-scan marker. Segments before it are skipped by their length, since a thumbnail in
/// one of them is a JPEG with an end of its own.
fn first_scan(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        match bytes.get(at..at + 2)? {
            [0xFF, START_OF_SCAN] => return Some(at + 2),
            // Fill bytes and markers without a segment.
            [0xFF, 0xFF] => at += 1,
            [0xFF, 0x01 | 0xD0..=0xD8] => at += 2,
            [0xFF, _] => {
                let length = bytes.get(at + 2..at + 4)?;
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
            _ => at += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::photograph::photographs;
    use image::DynamicImage;
    use std::io::Cursor;

    const HEAD: [u8; 2] = [0xFF, 0xD8];
    const THUMBNAIL: [u8; 8] = [0xFF, 0xE1, 0x00, 0x06, 0xFF, 0xD8, 0xFF, 0xD9];
    const SCAN: [u8; 6] = [0xFF, 0xDA, 0x12, 0x34, 0xFF, 0x00];
    const END: [u8; 2] = [0xFF, 0xD9];

    #[test]
    fn pixels_are_those_that_image_gives() {
        let photograph = photographs(1, 83, 61).unwrap().remove(0);
        let grey = image::load_from_memory(&photograph).unwrap().to_luma8();
        let mut grey_jpeg = Cursor::new(Vec::new());
        grey.write_to(&mut grey_jpeg, ImageFormat::Jpeg).unwrap();
        for (jpeg, color) in [(photograph, ColorType::Rgb8), (grey_jpeg.into_inner(), ColorType::L8)] {
            let ours = DynamicImage::from_decoder(Jpeg::new(&jpeg).unwrap()).unwrap();
            assert_eq!((&ours, ours.color()), (&image::load_from_memory(&jpeg).unwrap(), color));
        }
    }

    #[test]
    fn only_an_end_after_the_scan_counts() {
        let cases: [(&[&[u8]], bool); 5] = [
            (&[&HEAD, &SCAN, &END], true),
            (&[&HEAD, &THUMBNAIL, &SCAN, &END, b"trailing"], true),
            (&[&HEAD, &THUMBNAIL, &SCAN], false),
            (&[&HEAD, &THUMBNAIL], false),
            (&[&HEAD], false),
        ];
        for (parts, complete) in cases {
            let bytes = parts.concat();
            assert_eq!(check_complete(&bytes).is_ok(), complete, "{bytes:x?}");
        }
    }
}
