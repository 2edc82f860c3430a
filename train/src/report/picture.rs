//! Images of a data set as they stand in a page.

use super::subject::Subject;
use crate::Error;
use crate::data::Dataset;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use std::path::PathBuf;

/// Images of at most so many pixels a side are shown with sharp pixels.
const SHARP: usize = 96;

/// The class of an element that shows images of a data set.
pub(super) fn class(dataset: &Dataset) -> &'static str {
    if dataset.width.max(dataset.height) <= SHARP { "sharp" } else { "smooth" }
}

/// An image of the subject at a place, as the address of an `<img>`.
pub(super) fn at(subject: &Subject<'_>, place: usize) -> Result<String, Error> {
    let image = subject.images().0.image(place)?;
    of_bytes(subject.dataset, &image)
}

/// Bytes `[channels, height, width]` as the address of an `<img>`.
pub(super) fn of_bytes(dataset: &Dataset, planes: &[u8]) -> Result<String, Error> {
    let Dataset { channels, height, width, .. } = *dataset;
    let colour = match channels {
        1 => ExtendedColorType::L8,
        3 => ExtendedColorType::Rgb8,
        4 => ExtendedColorType::Rgba8,
        _ => {
            let reason = format!("images of {channels} channels have no colour; 1, 3 and 4 have");
            return Err(Error::Plot { path: PathBuf::from(&dataset.name), reason });
        }
    };
    let plane = height * width;
    let pixels: Vec<u8> =
        (0..plane).flat_map(|pixel| (0..channels).map(move |channel| planes[channel * plane + pixel])).collect();
    let mut png = Vec::new();
    PngEncoder::new_with_quality(&mut png, CompressionType::Best, FilterType::Adaptive)
        .write_image(&pixels, width as u32, height as u32, colour)
        .map_err(|error| Error::Plot { path: PathBuf::from(&dataset.name), reason: error.to_string() })?;
    Ok(format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;

    #[test]
    fn the_picture_holds_the_pixels_of_the_image() {
        let dataset = data::open("fashion-mnist-sample").unwrap();
        let image = dataset.test.image(3).unwrap();
        let address = of_bytes(&dataset, &image).unwrap();
        let png = BASE64_STANDARD.decode(address.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        assert_eq!(image::load_from_memory(&png).unwrap().into_luma8().into_raw(), image.into_owned());
    }

    #[test]
    fn channels_are_put_side_by_side() {
        let mut dataset = data::open("fashion-mnist-sample").unwrap();
        (dataset.channels, dataset.height, dataset.width) = (3, 1, 2);
        let address = of_bytes(&dataset, &[1, 2, 3, 4, 5, 6]).unwrap();
        let png = BASE64_STANDARD.decode(address.rsplit(',').next().unwrap()).unwrap();
        assert_eq!(image::load_from_memory(&png).unwrap().into_rgb8().into_raw(), [1, 3, 5, 2, 4, 6]);
        dataset.channels = 2;
        assert!(of_bytes(&dataset, &[0; 4]).unwrap_err().to_string().contains("2 channels"));
    }
}
