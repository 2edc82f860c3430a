//! Bytes of an image, row by row, and what preprocessing does with them.

use crate::Error;
use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, ImageDecoder, ImageReader};

/// An image between two steps.
pub struct Pixels {
    pub width: usize,
    pub height: usize,
    pub bytes: Vec<u8>,
    channels: usize,
}

impl Pixels {
    /// An image file, upright: 1 channel is grey as Pillow weighs it, 3 are RGB, 4 RGBA. Transparency is laid over black
    /// where it has no channel.
    pub fn read(path: &str, channels: usize) -> Result<Self, Error> {
        let mut decoder = ImageReader::open(path)?.with_guessed_format()?.into_decoder()?;
        let orientation = decoder.orientation()?;
        let mut image = DynamicImage::from_decoder(decoder)?;
        image.apply_orientation(orientation);
        let image = image.into_rgba8();
        let (width, height) = (image.width() as usize, image.height() as usize);
        let opaque = |[red, green, blue, alpha]: [u8; 4]| {
            [red, green, blue].map(|value| (u32::from(value) * u32::from(alpha) + 127) / 255)
        };
        let bytes = match channels {
            1 => image.pixels().map(|pixel| luma(opaque(pixel.0))).collect(),
            3 => image.pixels().flat_map(|pixel| opaque(pixel.0).map(|value| value as u8)).collect(),
            _ => image.into_raw(),
        };
        Ok(Self { width, height, bytes, channels })
    }

    /// The image in another size, by one of Pillow's filters: rows first, then columns, each rounded to bytes.
    pub fn resized(self, width: usize, height: usize, filter: u8) -> Result<Self, Error> {
        let algorithm = match filter {
            0 => ResizeAlg::Nearest,
            1 => ResizeAlg::Convolution(FilterType::Lanczos3),
            2 => ResizeAlg::Convolution(FilterType::Bilinear),
            3 => ResizeAlg::Convolution(FilterType::CatmullRom),
            other => return Err(format!("the card asks for filter {other}, which is none of 0 to 3").into()),
        };
        let kind = [PixelType::U8, PixelType::U8x2, PixelType::U8x3, PixelType::U8x4][self.channels - 1];
        let mut image = Image::from_vec_u8(self.width as u32, self.height as u32, self.bytes, kind)?;
        let options = ResizeOptions::new().resize_alg(algorithm);
        for (width, height) in [(width, self.height), (width, height)] {
            if (image.width(), image.height()) != (width as u32, height as u32) {
                let mut target = Image::new(width as u32, height as u32, kind);
                Resizer::new().resize(&image, &mut target, &options)?;
                image = target;
            }
        }
        Ok(Self { width, height, bytes: image.into_vec(), ..self })
    }

    /// The image in the middle of another size, cut or with black around it. `before` says how much of what is missing
    /// goes to the left and to the top.
    pub fn placed(self, width: usize, height: usize, before: impl Fn(isize) -> isize) -> Self {
        let left = before(width as isize - self.width as isize);
        let top = before(height as isize - self.height as isize);
        let mut bytes = vec![0; width * height * self.channels];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let (pixel, channel) = (index / self.channels, index % self.channels);
            let (x, y) = ((pixel % width) as isize - left, (pixel / width) as isize - top);
            if (0..self.width as isize).contains(&x) && (0..self.height as isize).contains(&y) {
                *byte = self.bytes[(y as usize * self.width + x as usize) * self.channels + channel];
            }
        }
        Self { width, height, bytes, ..self }
    }
}

fn luma([red, green, blue]: [u32; 3]) -> u8 {
    ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16) as u8
}
