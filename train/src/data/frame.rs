//! The one form that all images of a data set get: channels, size, padding.

use super::decode::{MAX_IMAGE_BYTES, Shape};
use super::reading::Reading;
use super::resample::resample;
use fast_image_resize::images::Image;
use fast_image_resize::{MulDiv, PixelType};
use image::DynamicImage;

/// Images are zero-padded to the next multiple of this, so that patches of 4 or 8 pixels tile them: 28 becomes 32.
pub const SIZE_MULTIPLE: usize = 8;

/// The form of all images of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub channels: usize,
    /// Side of the square to resize and cut to, where images are resized at all.
    pub size: Option<usize>,
    /// Rows and columns without padding.
    pub native: (usize, usize),
    /// Rows with padding.
    pub height: usize,
    /// Columns with padding.
    pub width: usize,
}

/// Pixels side by side, channels innermost.
struct Canvas {
    width: usize,
    height: usize,
    channels: usize,
    bytes: Vec<u8>,
}

impl Frame {
    /// The form for images of a size and number of channels, where the settings leave them open.
    pub fn new(reading: &Reading, native: (usize, usize), channels: usize) -> Self {
        let native = reading.size.map_or(native, |size| (size, size));
        let [height, width] = [native.0, native.1].map(|side| side.next_multiple_of(SIZE_MULTIPLE));
        Self { channels: reading.channels.unwrap_or(channels), size: reading.size, native, height, width }
    }

    /// Bytes of an image.
    pub fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Whether planar pixels of a shape need no change.
    pub fn accepts(&self, shape: Shape) -> bool {
        (shape.height, shape.width, shape.channels) == (self.height, self.width, self.channels)
            && self.native == (self.height, self.width)
    }

    /// Brings an image into this form. As the server does it, by the model card that the data set leads to: channels,
    /// resize of the shorter side, centred cut, padding.
    /// # Shapes
    /// Returns `[channels, height, width]`.
    pub fn fit(&self, image: DynamicImage) -> Result<Vec<u8>, String> {
        let mut canvas = convert(image, self.channels);
        if let Some(size) = self.size {
            canvas = resize(canvas, size)?;
        }
        let found = (canvas.height.min(self.native.0), canvas.width.min(self.native.1));
        if found != self.native || (self.size.is_none() && (canvas.height, canvas.width) != self.native) {
            let (rows, columns) = self.native;
            return Err(format!("it has {}x{} pixels, the others have {rows}x{columns}", canvas.height, canvas.width));
        }
        Ok(self.planes(&canvas))
    }

    /// The centre of a canvas, channel by channel, with black around it. Of an odd rest the smaller half is cut off, or
    /// added, at the top and at the left.
    fn planes(&self, canvas: &Canvas) -> Vec<u8> {
        let (rows, columns) = self.native;
        let (from_row, from_column) = ((canvas.height - rows) / 2, (canvas.width - columns) / 2);
        let (to_row, to_column) = ((self.height - rows) / 2, (self.width - columns) / 2);
        let mut planes = vec![0; self.len()];
        for (channel, plane) in planes.chunks_exact_mut(self.height * self.width).enumerate() {
            for row in 0..rows {
                let start = ((from_row + row) * canvas.width + from_column) * canvas.channels;
                let seen = canvas.bytes[start..].iter().skip(channel).step_by(canvas.channels);
                let target = &mut plane[(to_row + row) * self.width + to_column..][..columns];
                target.iter_mut().zip(seen).for_each(|(to, from)| *to = *from);
            }
        }
        planes
    }
}

/// Any image to 1 (grey), 3 (RGB) or 4 (RGBA) channels. Transparency is laid over black where no channel is left for it.
fn convert(image: DynamicImage, channels: usize) -> Canvas {
    let (width, height) = (image.width() as usize, image.height() as usize);
    let (grey, alpha) = (!image.color().has_color(), image.color().has_alpha());
    let bytes = match channels {
        1 if grey && !alpha => image.into_luma8().into_raw(),
        1 if grey => image.into_luma_alpha8().pixels().map(|pixel| over_black(pixel[0], pixel[1])).collect(),
        1 => rgb(image).chunks_exact(3).map(luma).collect(),
        3 => rgb(image),
        _ => image.into_rgba8().into_raw(),
    };
    Canvas { width, height, channels, bytes }
}

fn rgb(image: DynamicImage) -> Vec<u8> {
    if !image.color().has_alpha() {
        return image.into_rgb8().into_raw();
    }
    let image = image.into_rgba8();
    image.pixels().flat_map(|pixel| [0, 1, 2].map(|channel| over_black(pixel[channel], pixel[3]))).collect()
}

fn over_black(value: u8, alpha: u8) -> u8 {
    ((u32::from(value) * u32::from(alpha) + 127) / 255) as u8
}

/// The luma of ITU-R BT.601 in 16 fractional bits, as Pillow rounds it.
pub(crate) fn luma(pixel: &[u8]) -> u8 {
    let weighted: u32 = pixel.iter().zip([19595, 38470, 7471]).map(|(&value, weight)| u32::from(value) * weight).sum();
    ((weighted + 0x8000) >> 16) as u8
}

/// Resizes the shorter side to `size`, rows first, as Pillow does.
fn resize(canvas: Canvas, size: usize) -> Result<Canvas, String> {
    let shorter = canvas.height.min(canvas.width);
    let [height, width] = [canvas.height, canvas.width].map(|side| side * size / shorter);
    // Rows are resized first.
    let pixels = width.saturating_mul(height.max(canvas.height));
    if pixels.saturating_mul(canvas.channels) as u64 > MAX_IMAGE_BYTES {
        let Canvas { width: found_width, height: found_height, .. } = canvas;
        return Err(format!(
            "it is {found_width} x {found_height}, too long and thin to be resized to {width} x {height}"
        ));
    }
    if (height, width) == (canvas.height, canvas.width) {
        return Ok(canvas);
    }
    let channels = canvas.channels;
    let pixel = match channels {
        1 => PixelType::U8,
        3 => PixelType::U8x3,
        _ => PixelType::U8x4,
    };
    let side = |side: usize| u32::try_from(side).map_err(text);
    let mut image = Image::from_vec_u8(side(canvas.width)?, side(canvas.height)?, canvas.bytes, pixel).map_err(text)?;
    let alpha = MulDiv::new();
    if channels == 4 {
        alpha.multiply_alpha_inplace(&mut image).map_err(text)?;
    }
    image = resample(image, side(width)?, side(height)?)?;
    if channels == 4 {
        alpha.divide_alpha_inplace(&mut image).map_err(text)?;
    }
    Ok(Canvas { width, height, channels, bytes: image.into_vec() })
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_too_thin_to_be_resized_is_refused() {
        for (width, height) in [(10_000_000, 1), (1, 10_000_000)] {
            let canvas = Canvas { width, height, channels: 1, bytes: vec![0; width * height] };
            let reason = resize(canvas, 224).err().unwrap();
            assert!(reason.contains("too long and thin"), "{reason}");
        }
        let canvas = resize(Canvas { width: 30, height: 10, channels: 1, bytes: vec![0; 300] }, 20).unwrap();
        assert_eq!((canvas.width, canvas.height), (60, 20));
    }
}
