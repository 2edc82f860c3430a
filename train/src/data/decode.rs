//! Image files to pixels, turned upright.

use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use std::io::{BufRead, Cursor, Seek};

/// The endings of the files that are read, in lower case.
pub(crate) const EXTENSIONS: [&str; 6] = ["jpg", "jpeg", "png", "webp", "bmp", "gif"];

/// Rows, columns and channels of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Shape {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

/// Memory for one image; a file that asks for more is damaged or hostile.
pub(crate) const MAX_IMAGE_BYTES: u64 = 2 << 30;

/// Decodes an image and applies its EXIF orientation; of an animation the first frame counts.
pub(crate) fn decode(bytes: &[u8]) -> Result<DynamicImage, String> {
    if bytes.is_empty() {
        return Err("it is empty".into());
    }
    let mut decoder = decoder(Cursor::new(bytes))?;
    if image::guess_format(bytes).ok() == Some(ImageFormat::Jpeg) && !ends(bytes) {
        return Err("it is a JPEG without its end".into());
    }
    let orientation = decoder.orientation().map_err(text)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(text)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// The shape of an upright image, from the beginning of its file.
pub(crate) fn shape(reader: impl BufRead + Seek) -> Result<Shape, String> {
    let mut decoder = decoder(reader)?;
    let color = decoder.color_type();
    let channels = match (color.has_color(), color.has_alpha()) {
        (_, true) => 4,
        (true, false) => 3,
        (false, false) => 1,
    };
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    // Orientations from 5 on lie on their side.
    let sideways = decoder.orientation().map_err(text)?.to_exif() >= 5;
    let (height, width) = if sideways { (width, height) } else { (height, width) };
    Ok(Shape { height, width, channels })
}

fn decoder<'a>(reader: impl BufRead + Seek + 'a) -> Result<Box<dyn ImageDecoder + 'a>, String> {
    let mut reader = ImageReader::new(reader).with_guessed_format().map_err(|error| error.to_string())?;
    if reader.format().is_none() {
        return Err("it is no JPEG, PNG, WebP, BMP or GIF".into());
    }
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_IMAGE_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(text)?;
    match decoder.dimensions() {
        (0, _) | (_, 0) => Err("it has no pixels".into()),
        _ => Ok(Box::new(decoder)),
    }
}

/// Whether a JPEG has its end: the decoder fills a missing part with grey, which would go unnoticed. The last end marker
/// must follow the last start of a scan, since a thumbnail in front of the picture has an end of its own.
///
/// # Source
/// ITU-T T.81, annex B: neither marker can occur inside of compressed data.
fn ends(bytes: &[u8]) -> bool {
    let last = |marker: [u8; 2]| bytes.windows(2).rposition(|pair| pair == marker);
    match (last([0xFF, 0xDA]), last([0xFF, 0xD9])) {
        (Some(scan), Some(end)) => scan < end,
        _ => false,
    }
}

fn text(error: ImageError) -> String {
    error.to_string()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use image::{GrayImage, RgbImage, RgbaImage};

    /// A picture whose pixels all differ, as a file.
    pub fn encoded(width: u32, height: u32, channels: usize, format: ImageFormat) -> Vec<u8> {
        let byte = |x: u32, y: u32, channel: u32| (x * 7 + y * 13 + channel * 50) as u8;
        let image: DynamicImage = match channels {
            1 => GrayImage::from_fn(width, height, |x, y| image::Luma([byte(x, y, 0)])).into(),
            3 => RgbImage::from_fn(width, height, |x, y| image::Rgb([0, 1, 2].map(|c| byte(x, y, c)))).into(),
            _ => RgbaImage::from_fn(width, height, |x, y| image::Rgba([0, 1, 2, 3].map(|c| byte(x, y, c)))).into(),
        };
        let mut bytes = Vec::new();
        image.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
        bytes
    }

    #[test]
    fn the_shape_is_known_before_the_pixels() {
        for (channels, format) in
            [(1, ImageFormat::Png), (3, ImageFormat::Jpeg), (3, ImageFormat::Bmp), (4, ImageFormat::Png)]
        {
            let bytes = encoded(6, 4, channels, format);
            assert_eq!(shape(Cursor::new(&bytes)), Ok(Shape { height: 4, width: 6, channels }), "{format:?}");
            let image = decode(&bytes).unwrap();
            assert_eq!((image.width(), image.height()), (6, 4));
        }
    }

    #[test]
    fn damaged_files_are_noticed() {
        let jpeg = encoded(40, 40, 3, ImageFormat::Jpeg);
        let png = encoded(40, 40, 3, ImageFormat::Png);
        let mut flipped = png.clone();
        flipped[60] ^= 0x55;
        let thumbnail = [&jpeg[..2], &[0xFF, 0xE1, 0, 8, 0xFF, 0xDA, 1, 2, 0xFF, 0xD9], &jpeg[2..]].concat();
        assert!(decode(&thumbnail).is_ok());
        let cases = [
            ("empty", vec![]),
            ("text", b"not an image at all".to_vec()),
            ("cut JPEG", jpeg[..jpeg.len() * 2 / 3].to_vec()),
            ("cut JPEG with thumbnail", thumbnail[..thumbnail.len() * 2 / 3].to_vec()),
            ("cut PNG", png[..png.len() / 2].to_vec()),
            ("flipped PNG", flipped),
        ];
        for (case, bytes) in cases {
            assert!(decode(&bytes).is_err(), "{case}");
        }
    }
}
