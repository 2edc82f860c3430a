//! JPEG files that are far larger than the model needs, decoded at a quarter of their width and height: of the 64 frequencies of a
//! block the four lowest are transformed, to 2 x 2 pixels.
//!
//! # Source
//! ITU-T T.81, A.3.3, for blocks of 2 x 2; libjpeg's `scale_denom = 4`.

use image::{DynamicImage, GrayImage, RgbImage};
use jpeg_decoder::{Decoder, PixelFormat};

/// Part of the sides.
const PART: u32 = 4;
/// The decoded image is at least so many times as large as what it is resized to, so that the resize still averages.
const ROOM: u32 = 3;

/// Whether an image of `from` pixels may be reduced for one of `to` pixels.
pub fn suits(from: [u32; 2], to: [usize; 2]) -> bool {
    let side = |from: u32, to: usize| {
        let needed = u32::try_from(to).ok().and_then(|to| to.checked_mul(ROOM));
        // A rest would be stretched to a whole pixel and shift all others.
        from.is_multiple_of(PART) && needed.is_some_and(|needed| from / PART >= needed)
    };
    side(from[0], to[0]) && side(from[1], to[1])
}

/// A quarter of a JPEG of `width` x `height` in grey or colour; none where this decoder does not read it, or reads other colours.
pub fn decode(bytes: &[u8], [width, height]: [u32; 2]) -> Option<DynamicImage> {
    let [width, height] = [width / PART, height / PART];
    let mut decoder = Decoder::new(bytes);
    let size = decoder.scale(width.try_into().ok()?, height.try_into().ok()?).ok()?;
    if (u32::from(size.0), u32::from(size.1)) != (width, height) {
        return None;
    }
    let pixels = decoder.decode().ok()?;
    match decoder.info()?.pixel_format {
        PixelFormat::L8 => GrayImage::from_raw(width, height, pixels).map(DynamicImage::from),
        PixelFormat::RGB24 => RgbImage::from_raw(width, height, pixels).map(DynamicImage::from),
        PixelFormat::L16 | PixelFormat::CMYK32 => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::photograph::photographs;
    use crate::preprocess::{Pixels, Preprocessor, Reading};
    use selfie_models::card::Card;

    #[test]
    fn only_images_that_are_far_larger_and_leave_no_rest_suit() {
        let cases = [
            ([4032, 3024], [224, 224], true),
            ([2688, 2688], [224, 224], true),
            ([2684, 2688], [224, 224], false),
            ([4033, 3024], [224, 224], false),
            ([4032, 3022], [224, 224], false),
            ([400, 400], [usize::MAX, 10], false),
        ];
        for (from, to, expected) in cases {
            assert_eq!(suits(from, to), expected, "{from:?} to {to:?}");
        }
    }

    /// Puts an EXIF orientation into a JPEG.
    fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let exif = [
            &[0xFF, 0xE1, 0, 34][..],
            b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0",
            &[orientation, 0, 0, 0, 0, 0, 0, 0],
        ];
        [&jpeg[..2], &exif.concat(), &jpeg[2..]].concat()
    }

    fn bytes(card: &Card, reduced_jpeg: bool, jpeg: &[u8]) -> Vec<f32> {
        match Preprocessor::new(card, Reading { max_pixels: 1 << 24, reduced_jpeg }).item(jpeg).unwrap() {
            Pixels::F32(values) => values,
            Pixels::U8(values) => values.into_iter().map(f32::from).collect(),
        }
    }

    #[test]
    fn a_reduced_photograph_is_nearly_the_same_whichever_way_it_is_turned() {
        let card = crate::bench::pooling::card(16);
        for jpeg in photographs(2, 800, 400).unwrap() {
            for orientation in 1..=8 {
                let jpeg = turned(&jpeg, orientation);
                let (whole, reduced) = (bytes(&card, false, &jpeg), bytes(&card, true, &jpeg));
                assert_ne!(whole, reduced, "nothing was reduced");
                let differences = whole.iter().zip(&reduced).map(|(whole, reduced)| (whole - reduced).abs());
                let (sum, largest) = differences.fold((0.0f32, 0.0f32), |(sum, most), one| (sum + one, most.max(one)));
                let mean = sum / whole.len() as f32;
                assert!(
                    mean < 0.01 && largest < 0.06,
                    "orientation {orientation}: {mean} on average, {largest} at most"
                );
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_to_the_other_decoder() {
        let jpeg = photographs(1, 64, 64).unwrap().remove(0);
        assert_eq!(decode(&jpeg, [64, 64]).map(|image| (image.width(), image.height())), Some((16, 16)));
        assert!(decode(&jpeg, [128, 64]).is_none(), "the header says otherwise");
        assert!(decode(&jpeg[..jpeg.len() / 4], [64, 64]).is_none() && decode(b"", [64, 64]).is_none());
    }
}
