//! Resize with Pillow's filters, which widen when they shrink an image and so do not alias.

use super::canvas::Canvas;
use crate::Error;
use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, MulDiv, PixelType, ResizeAlg, ResizeOptions, Resizer};
use selfie_models::card::Resample;

/// Resizes to `width` x `height`; an image of that size stays as it is.
///
/// Rows first, then columns, each rounded to bytes, and transparent pixels weighted by their opacity: Pillow's order, on
/// which the last bits depend.
///
/// # Errors
/// [`Error::Image`] when the size is beyond what can be resized.
pub fn resize(canvas: Canvas, width: usize, height: usize, filter: Resample) -> Result<Canvas, Error> {
    if (canvas.width, canvas.height) == (width, height) {
        return Ok(canvas);
    }
    passes(canvas, width, height, filter)
        .map_err(|reason| Error::image(format!("cannot be resized to {width} x {height}: {reason}")))
}

fn passes(canvas: Canvas, width: usize, height: usize, filter: Resample) -> Result<Canvas, String> {
    let channels = canvas.channels;
    let pixel = match channels {
        1 => PixelType::U8,
        3 => PixelType::U8x3,
        _ => PixelType::U8x4,
    };
    let side = |side: usize| u32::try_from(side).map_err(text);
    let mut image = Image::from_vec_u8(side(canvas.width)?, side(canvas.height)?, canvas.bytes, pixel).map_err(text)?;
    let alpha = MulDiv::new();
    let weighted = channels == 4 && filter != Resample::Nearest;
    if weighted {
        alpha.multiply_alpha_inplace(&mut image).map_err(text)?;
    }
    let mut resizer = Resizer::new();
    let options = ResizeOptions::new().resize_alg(algorithm(filter)).use_alpha(false);
    for (to_width, to_height) in [(side(width)?, side(canvas.height)?), (side(width)?, side(height)?)] {
        if (image.width(), image.height()) != (to_width, to_height) {
            let mut target = Image::new(to_width, to_height, pixel);
            resizer.resize(&image, &mut target, &options).map_err(text)?;
            image = target;
        }
    }
    if weighted {
        alpha.divide_alpha_inplace(&mut image).map_err(text)?;
    }
    Ok(Canvas { width, height, channels, bytes: image.into_vec() })
}

fn algorithm(filter: Resample) -> ResizeAlg {
    match filter {
        Resample::Nearest => ResizeAlg::Nearest,
        Resample::Bilinear => ResizeAlg::Convolution(FilterType::Bilinear),
        Resample::Bicubic => ResizeAlg::Convolution(FilterType::CatmullRom),
        Resample::Lanczos => ResizeAlg::Convolution(FilterType::Lanczos3),
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
