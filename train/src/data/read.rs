//! From a catalog to a data set: every image is decoded once, in parallel.

use super::catalog::Catalog;
use super::dataset::{Skipped, Split};
use super::frame::Frame;
use super::reading::Reading;
use super::sample::Sample;
use super::statistics::Statistics;
use super::{DataError, Dataset, survey};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// Images that are decoded side by side before they are put in their order.
const CHUNK: usize = 512;

/// Decodes a catalog, and holds its pixels or, where they are too many, only their statistics and checksums.
/// # Errors
/// An image is damaged, the images do not fit together, or there is nothing to learn from them.
pub(crate) fn dataset(catalog: Catalog, reading: &Reading) -> Result<Dataset, DataError> {
    let mut catalog = catalog.settle(reading)?;
    let (frame, mut skipped) = survey::frame(&mut catalog, reading)?;
    let images = catalog.train.len() + catalog.validation.len() + catalog.test.len();
    let held = (images as u64).saturating_mul(frame.len() as u64) <= reading.memory_limit();
    let mut pass = Pass { frame, held, skip_damaged: reading.skip_damaged, skipped: &mut skipped };
    let mut statistics = Statistics::new(frame);
    let mut variety = Variety::default();
    let train = pass.split(catalog.train, |image| {
        statistics.add(image);
        variety.add(image);
    })?;
    let validation = pass.split(catalog.validation, |_| ())?;
    let test = pass.split(catalog.test, |_| ())?;
    if train.is_empty() || test.is_empty() {
        return Err(DataError::TooFew { name: catalog.name, train: train.len(), test: test.len() });
    }
    let (mean, std) = statistics.finish(&catalog.name)?;
    if !variety.found && train.len() > 1 {
        return Err(DataError::AllEqual { name: catalog.name, images: train.len() });
    }
    Ok(Dataset {
        name: catalog.name,
        channels: frame.channels,
        native: frame.native,
        cropped: frame.size.is_some(),
        height: frame.height,
        width: frame.width,
        labels: catalog.labels,
        mean,
        std,
        train,
        validation,
        test,
        skipped,
        notices: catalog.notices,
    })
}

struct Pass<'a> {
    frame: Frame,
    held: bool,
    skip_damaged: bool,
    skipped: &'a mut Vec<Skipped>,
}

impl Pass<'_> {
    fn split(&mut self, samples: Vec<Sample>, mut see: impl FnMut(&[u8])) -> Result<Split, DataError> {
        // Pixels that lie in memory as they are need no second place there.
        let held = self.held && !self.frame.originals && !samples.iter().all(|sample| sample.at_hand(&self.frame));
        let mut pixels = Vec::with_capacity(if held { samples.len() * self.frame.len() } else { 0 });
        let mut kept = Vec::with_capacity(samples.len());
        let mut digest = Sha256::new();
        let mut samples = samples.into_iter();
        loop {
            let chunk: Vec<Sample> = samples.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                break;
            }
            let images: Vec<Result<Cow<'_, [u8]>, String>> =
                chunk.par_iter().map(|sample| sample.load(&self.frame)).collect();
            let mut usable = Vec::with_capacity(chunk.len());
            for (sample, image) in chunk.iter().zip(images) {
                match image {
                    Ok(image) => {
                        see(&image);
                        digest.update(&image);
                        if held {
                            pixels.extend_from_slice(&image);
                        }
                        usable.push(true);
                    }
                    Err(reason) if self.skip_damaged => {
                        self.skipped.push(Skipped { image: sample.name(), reason });
                        usable.push(false);
                    }
                    Err(reason) => return Err(sample.damaged(reason)),
                }
            }
            kept.extend(chunk.into_iter().zip(usable).filter(|(_, usable)| *usable).map(|(sample, _)| sample));
        }
        // Labels have been compared with the classes, so that they are small and not negative.
        let labels: Vec<u32> = kept.iter().map(|sample| sample.label as u32).collect();
        let sha256 = digest.finalize().into();
        Ok(if held { Split::held(pixels, labels) } else { Split::sampled(kept, labels, self.frame, sha256) })
    }
}

/// Whether not all images are equal.
#[derive(Default)]
struct Variety {
    first: Vec<u8>,
    found: bool,
}

impl Variety {
    fn add(&mut self, image: &[u8]) {
        if self.first.is_empty() {
            image.clone_into(&mut self.first);
        } else if !self.found {
            self.found = self.first != image;
        }
    }
}

#[cfg(test)]
mod tests;
