//! The shapes of all images of a catalog, from the beginnings of their files.

use super::DataError;
use super::catalog::Catalog;
use super::dataset::Skipped;
use super::decode::Shape;
use super::frame::Frame;
use super::reading::Reading;
use rayon::prelude::*;

/// Finds the form that all images of a catalog get.
///
/// Images whose files cannot be read are taken out of the catalog where the settings say so.
/// # Errors
/// An image is damaged, or the images have several sizes and the settings name none.
pub(crate) fn frame(catalog: &mut Catalog, reading: &Reading) -> Result<(Frame, Vec<Skipped>), DataError> {
    if let (Some(size), Some(channels)) = (reading.size, reading.channels) {
        return Ok((Frame::new(reading, (size, size), channels), Vec::new()));
    }
    let mut skipped = Vec::new();
    let mut channels = 0;
    let mut sizes: Vec<(Shape, String)> = Vec::new();
    for (_, samples) in catalog.splits_mut() {
        let shapes: Vec<Result<Shape, String>> = samples.par_iter().map(|sample| sample.shape()).collect();
        let mut kept = Vec::with_capacity(samples.len());
        for (sample, shape) in samples.drain(..).zip(shapes) {
            match shape {
                Ok(shape) => {
                    channels = channels.max(shape.channels);
                    // Two sizes are enough to say that there are several.
                    let known =
                        |(other, _): &(Shape, String)| (other.height, other.width) == (shape.height, shape.width);
                    if sizes.len() < 2 && !sizes.iter().any(known) {
                        sizes.push((shape, sample.name()));
                    }
                    kept.push(sample);
                }
                Err(reason) if reading.skip_damaged => skipped.push(Skipped { image: sample.name(), reason }),
                Err(reason) => return Err(sample.damaged(reason)),
            }
        }
        *samples = kept;
    }
    if let ([(one, first), (two, second)], None) = (&sizes[..], reading.size) {
        return Err(DataError::MixedSizes {
            first: first.clone(),
            one: (one.height, one.width),
            second: second.clone(),
            two: (two.height, two.width),
        });
    }
    let native = sizes.first().map_or((1, 1), |(shape, _)| (shape.height, shape.width));
    Ok((Frame::new(reading, native, channels.max(1)), skipped))
}
