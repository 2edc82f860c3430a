//! Any image to the card's channels: 1 grey, 3 RGB, 4 RGBA, one byte each.
//!
//! Sixteen bits are rounded to eight. Transparency is laid over black when the card has no channel for it. Grey is the
//! luma of ITU-R BT.601, rounded as Pillow's mode "L" does.

use super::canvas::Canvas;
use crate::Error;
use image::DynamicImage;
use pulp::Arch;

/// Converts an image to `channels` channels.
///
/// # Errors
/// [`Error::Image`] when the card asks for a number of channels that does not exist.
pub fn convert(image: DynamicImage, channels: usize) -> Result<Canvas, Error> {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let alpha = image.color().has_alpha();
    let grey = !image.color().has_color();
    let bytes = match channels {
        1 if grey && alpha => image.into_luma_alpha8().pixels().map(|pixel| over_black(pixel[0], pixel[1])).collect(),
        1 if grey => image.into_luma8().into_raw(),
        1 => grey_of(&rgb(image, alpha)),
        3 => rgb(image, alpha),
        4 => image.into_rgba8().into_raw(),
        other => return Err(Error::image(format!("cannot have {other} channels; known are 1, 3 and 4"))),
    };
    Ok(Canvas { width, height, channels, bytes })
}

fn rgb(image: DynamicImage, alpha: bool) -> Vec<u8> {
    if !alpha {
        return image.into_rgb8().into_raw();
    }
    let image = image.into_rgba8();
    image.pixels().flat_map(|pixel| [0, 1, 2].map(|channel| over_black(pixel[channel], pixel[3]))).collect()
}

fn over_black(value: u8, alpha: u8) -> u8 {
    ((u32::from(value) * u32::from(alpha) + 127) / 255) as u8
}

/// The luma of every pixel, with the widest instructions that the processor has: one by one it costs a fifth of decoding a photograph.
fn grey_of(rgb: &[u8]) -> Vec<u8> {
    let (pixels, _) = rgb.as_chunks::<3>();
    let mut grey = vec![0; pixels.len()];
    Arch::new().dispatch(|| grey.iter_mut().zip(pixels).for_each(|(grey, pixel)| *grey = luma(pixel)));
    grey
}

/// 0.299 R + 0.587 G + 0.114 B in 16 fractional bits.
#[inline(always)]
fn luma([red, green, blue]: &[u8; 3]) -> u8 {
    ((u32::from(*red) * 19595 + u32::from(*green) * 38470 + u32::from(*blue) * 7471 + 0x8000) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageBuffer, Luma, LumaA, Rgb, Rgba};

    #[test]
    fn every_colour_gives_the_same_grey_one_by_one_and_together() {
        let steps = || (0..=255u8).step_by(15);
        let rgb: Vec<[u8; 3]> =
            steps().flat_map(|r| steps().flat_map(move |g| steps().map(move |b| [r, g, b]))).collect();
        let expected: Vec<u8> = rgb.iter().map(luma).collect();
        assert_eq!(grey_of(rgb.as_flattened()), expected);
        // Lengths that fill no register.
        for length in 0..70 {
            assert_eq!(grey_of(rgb[..length].as_flattened()), expected[..length]);
        }
        assert_eq!(
            [[255; 3], [0; 3], [255, 0, 0], [0, 255, 0], [0, 0, 255]].map(|pixel| luma(&pixel)),
            [255, 0, 76, 150, 29]
        );
    }

    #[test]
    fn every_kind_of_image_becomes_every_kind_of_channels() {
        let cases: [(&str, DynamicImage, usize, &[u8]); 8] = [
            ("rgb to grey", ImageBuffer::from_pixel(1, 1, Rgb([200u8, 100, 50])).into(), 1, &[124]),
            ("rgb to rgb", ImageBuffer::from_pixel(1, 1, Rgb([1u8, 2, 3])).into(), 3, &[1, 2, 3]),
            ("rgb to rgba", ImageBuffer::from_pixel(1, 1, Rgb([1u8, 2, 3])).into(), 4, &[1, 2, 3, 255]),
            ("grey to rgb", ImageBuffer::from_pixel(1, 1, Luma([7u8])).into(), 3, &[7, 7, 7]),
            ("rgba over black", ImageBuffer::from_pixel(1, 1, Rgba([255u8, 100, 0, 128])).into(), 3, &[128, 50, 0]),
            ("grey over black", ImageBuffer::from_pixel(1, 1, LumaA([100u8, 0])).into(), 1, &[0]),
            ("rgba stays", ImageBuffer::from_pixel(1, 1, Rgba([9u8, 8, 7, 6])).into(), 4, &[9, 8, 7, 6]),
            ("16 bits", ImageBuffer::from_pixel(1, 1, Rgb([65535u16, 32768, 128])).into(), 3, &[255, 128, 0]),
        ];
        for (name, image, channels, expected) in cases {
            let canvas = convert(image, channels).unwrap();
            assert_eq!((canvas.channels, canvas.bytes.as_slice()), (channels, expected), "{name}");
        }
    }
}
