//! Bilinear resizing.

use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

/// Resizes an image, rows first, as Pillow does; transparency is a channel as any other.
pub(crate) fn resample(mut image: Image<'static>, width: u32, height: u32) -> Result<Image<'static>, String> {
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear)).use_alpha(false);
    let mut resizer = Resizer::new();
    for (to_width, to_height) in [(width, image.height()), (width, height)] {
        if (image.width(), image.height()) != (to_width, to_height) {
            let mut target = Image::new(to_width, to_height, image.pixel_type());
            resizer.resize(&image, &mut target, &options).map_err(|error| error.to_string())?;
            image = target;
        }
    }
    Ok(image)
}
