//! The one form that all images of a data set get: channels, size, padding.

use super::decode::Shape;
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
    /// Whether a part is cut out of the image as its file has it.
    pub originals: bool,
}

/// A rectangle of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub top: usize,
    pub left: usize,
    pub height: usize,
    pub width: usize,
}

/// Most pixels that an image may have when its shorter side is resized, before its centre is cut out: an image of one row would fill
/// the memory.
const MOST_PIXELS: usize = 64 << 20;

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
        Self {
            channels: reading.channels.unwrap_or(channels),
            size: reading.size,
            native,
            height,
            width,
            originals: reading.originals,
        }
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

    /// Brings a part of an image into this form: it is resized to the whole size.
    /// # Shapes
    /// Returns `[channels, height, width]`.
    pub fn fit_part(&self, image: &DynamicImage, part: Window) -> Result<Vec<u8>, String> {
        let [left, top, width, height] =
            [part.left, part.top, part.width, part.height].map(|side| u32::try_from(side).map_err(text));
        let canvas = convert(image.crop_imm(left?, top?, width?, height?), self.channels);
        let (rows, columns) = self.native;
        Ok(self.planes(&resize_to(canvas, rows, columns)?))
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

/// Resizes the shorter side to `size`.
fn resize(canvas: Canvas, size: usize) -> Result<Canvas, String> {
    let shorter = canvas.height.min(canvas.width);
    let [height, width] = [canvas.height, canvas.width].map(|side| side * size / shorter);
    // Rows are resized first.
    if height.max(canvas.height).saturating_mul(width) > MOST_PIXELS {
        return Err(format!(
            "it has {}x{} pixels, and would have {height}x{width} with a shorter side of {size}, more than {MOST_PIXELS} pixels; \
             cut it to a shape that is nearer to a square",
            canvas.height, canvas.width
        ));
    }
    resize_to(canvas, height, width)
}

/// Resizes, rows first, as Pillow does.
fn resize_to(canvas: Canvas, height: usize, width: usize) -> Result<Canvas, String> {
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
    fn an_image_that_would_fill_the_memory_is_refused() {
        let frame = Frame::new(&Reading { size: Some(224), ..Reading::default() }, (224, 224), 1);
        let message = frame.fit(DynamicImage::new_luma8(1, 6000)).unwrap_err();
        assert!(message.contains("6000x1 pixels") && message.contains("1344000x224"), "{message}");
        assert_eq!(frame.fit(DynamicImage::new_luma8(3, 600)).map(|pixels| pixels.len()), Ok(224 * 224));
    }

    #[test]
    fn a_part_comes_from_the_original_and_fills_the_frame() {
        let byte = |x: u32, y: u32| (x * 5 + y * 11) as u8;
        let image: DynamicImage = image::GrayImage::from_fn(40, 20, |x, y| image::Luma([byte(x, y)])).into();
        let frame = Frame::new(&Reading { size: Some(8), ..Reading::default() }, (8, 8), 1);
        // As large as the frame, and outside of the square in the middle.
        let same = frame.fit_part(&image, Window { top: 3, left: 31, height: 8, width: 8 }).unwrap();
        assert_eq!(same, (0..64).map(|place| byte(31 + place % 8, 3 + place / 8)).collect::<Vec<_>>());
        let square = Window { top: 1, left: 2, height: 17, width: 17 };
        let whole = frame.fit(image.crop_imm(2, 1, 17, 17)).unwrap();
        assert_eq!(frame.fit_part(&image, square).unwrap(), whole);
        let wide = frame.fit_part(&image, Window { top: 0, left: 0, height: 5, width: 40 }).unwrap();
        assert!(wide.iter().any(|byte| *byte > 0) && wide.len() == 64);
    }
}
