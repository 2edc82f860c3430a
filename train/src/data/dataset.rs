//! A data set that is ready for training.

use super::catalog::check_classes;
use super::frame::{Frame, Window};
use super::idx_set::IdxSet;
use super::reading::Reading;
use super::sample::Sample;
use super::{DataError, SplitName};
use image::DynamicImage;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// Images of one form with their labels, zero-padded on all sides.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// The spec it was opened with.
    pub name: String,
    /// Channels an image.
    pub channels: usize,
    /// Rows and columns without padding.
    pub native: (usize, usize),
    /// Whether images were resized to their shorter side and cut, so that files of any size fit.
    pub cropped: bool,
    /// Rows with padding.
    pub height: usize,
    /// Columns with padding.
    pub width: usize,
    /// Class names by label; none where the data set has no labels.
    pub labels: Vec<String>,
    /// Mean of the native training pixels by channel.
    /// # Units
    /// The byte range is 0 to 1.
    pub mean: Vec<f32>,
    /// Standard deviation of the native training pixels by channel.
    /// # Units
    /// The byte range is 0 to 1.
    pub std: Vec<f32>,
    /// For training.
    pub train: Split,
    /// For choices between runs; empty where the data set has none.
    pub validation: Split,
    /// For testing.
    pub test: Split,
    /// Damaged images that were left out.
    pub skipped: Vec<Skipped>,
    /// What was done about the files that nobody asked for, a sentence each.
    pub notices: Vec<String>,
}

/// A damaged image that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Skipped {
    /// Its file, and its place in it.
    pub image: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Images and labels, equally many.
#[derive(Debug, Clone)]
pub struct Split {
    pixels: Pixels,
    /// One label an image; 0 where the data set has no labels.
    pub labels: Vec<u32>,
    sha256: [u8; 32],
}

#[derive(Debug, Clone)]
enum Pixels {
    /// `[len, channels, height, width]`, padded.
    Held(Vec<u8>),
    /// To be read and decoded when they are needed.
    Sampled(Vec<Sample>, Frame),
}

impl Split {
    /// Images in memory.
    /// # Shapes
    /// - `pixels`: `[labels.len(), channels, height, width]`, padded
    #[must_use]
    pub fn held(pixels: Vec<u8>, labels: Vec<u32>) -> Self {
        let sha256 = Sha256::digest(&pixels).into();
        Self { pixels: Pixels::Held(pixels), labels, sha256 }
    }

    /// Images that stay where they are; `sha256` is that of their pixels in the form of the data set.
    pub(crate) fn sampled(samples: Vec<Sample>, labels: Vec<u32>, frame: Frame, sha256: [u8; 32]) -> Self {
        Self { pixels: Pixels::Sampled(samples, frame), labels, sha256 }
    }

    /// Number of images.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no image.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Whether images are read from their files whenever they are needed.
    #[must_use]
    pub fn is_streamed(&self) -> bool {
        match &self.pixels {
            Pixels::Held(_) => false,
            Pixels::Sampled(samples, frame) => !samples.iter().all(|sample| sample.at_hand(frame)),
        }
    }

    /// The bytes of one image, `[channels, height, width]`.
    /// # Errors
    /// The file of a streamed image has changed since the data set was opened.
    /// # Panics
    /// When `index` is not below [`Split::len`].
    pub fn image(&self, index: usize) -> Result<Cow<'_, [u8]>, DataError> {
        match &self.pixels {
            Pixels::Held(pixels) => {
                let len = pixels.len() / self.len();
                Ok(Cow::Borrowed(&pixels[index * len..(index + 1) * len]))
            }
            Pixels::Sampled(samples, frame) => {
                let sample = &samples[index];
                sample.load(frame).map_err(|reason| sample.damaged(reason))
            }
        }
    }

    /// Whether parts are cut out of the images as their files have them.
    pub(crate) fn has_originals(&self) -> bool {
        matches!(&self.pixels, Pixels::Sampled(_, frame) if frame.originals)
    }

    /// The bytes of a part of one image as its file has it, `[channels, height, width]`; the function chooses the part by rows and
    /// columns. Nothing where the split has no originals, and the whole image where the function chooses nothing.
    pub(crate) fn part(
        &self,
        index: usize,
        choose: impl FnOnce(usize, usize) -> Option<Window>,
    ) -> Result<Option<Vec<u8>>, DataError> {
        let Pixels::Sampled(samples, frame) = &self.pixels else { return Ok(None) };
        if !frame.originals {
            return Ok(None);
        }
        let sample = &samples[index];
        let cut = |image: DynamicImage| match choose(image.height() as usize, image.width() as usize) {
            Some(window) => frame.fit_part(&image, window),
            None => frame.fit(image),
        };
        sample.decode().and_then(cut).map(Some).map_err(|reason| sample.damaged(reason))
    }

    /// The images at these positions, in this order.
    /// # Panics
    /// When a position is not below [`Split::len`].
    pub(crate) fn select(&self, indices: &[usize]) -> Self {
        let labels: Vec<u32> = indices.iter().map(|&index| self.labels[index]).collect();
        match &self.pixels {
            Pixels::Held(pixels) => {
                let len = pixels.len() / self.len();
                Self::held(indices.iter().flat_map(|index| &pixels[index * len..][..len]).copied().collect(), labels)
            }
            Pixels::Sampled(samples, frame) => {
                // The digest of what the positions are taken from stands for them together with the positions.
                let mut digest = Sha256::new_with_prefix(self.sha256);
                indices.iter().for_each(|index| digest.update((*index as u64).to_le_bytes()));
                let samples = indices.iter().map(|&index| samples[index].clone()).collect();
                Self::sampled(samples, labels, *frame, digest.finalize().into())
            }
        }
    }

    /// SHA-256 of all pixels in their order.
    pub(crate) fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }
}

impl Dataset {
    /// Values of one padded image, over all channels.
    #[must_use]
    pub fn image_len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// The images of a split.
    #[must_use]
    pub fn split(&self, name: SplitName) -> &Split {
        match name {
            SplitName::Train => &self.train,
            SplitName::Validation => &self.validation,
            SplitName::Test => &self.test,
        }
    }

    /// Builds a data set of one channel from IDX files.
    /// # Errors
    /// A label names no class, or all training pixels are equal.
    pub fn from_idx(name: &str, labels: Vec<String>, files: IdxSet) -> Result<Self, DataError> {
        super::read::dataset(files.catalog(name, labels), &Reading::default())
    }

    /// Checks that a classifier can be trained: the images have labels, and every class has a training image.
    /// # Errors
    /// What is missing.
    pub fn check_classes(&self) -> Result<(), DataError> {
        if self.labels.is_empty() {
            return Err(DataError::Unlabelled { name: self.name.clone() });
        }
        check_classes(&self.name, &self.labels, self.train.labels.iter().map(|&label| label as usize))
    }
}
