//! The batch of a training step, a pure function of seed and step, and plain batches for evaluation.

use super::augment::{Augment, Mix, Picture, ResizedCrop, Slot};
use super::epochs::Epochs;
use super::normalise::Tables;
use super::{DataError, Dataset, LoaderConfig, Split};
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// Images and labels of one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The step, from 0.
    pub step: u64,
    /// Normalised pixels.
    /// # Shapes
    /// `[batch, channels, height, width]`
    pub images: Vec<f32>,
    /// One label an image.
    pub labels: Vec<i32>,
    /// The other labels, where images are mixed.
    pub mix: Option<Mix>,
    /// The position of every image in the training split.
    pub indices: Vec<usize>,
}

impl Batch {
    /// Cuts the batch into equal parts, in order.
    pub(crate) fn parts(self, count: usize) -> Vec<Self> {
        if count == 1 {
            return vec![self];
        }
        let (images, pixels) = (self.labels.len() / count, self.images.len() / count);
        let part = |part: usize| {
            let range = part * images..(part + 1) * images;
            Self {
                step: self.step,
                images: self.images[part * pixels..(part + 1) * pixels].to_vec(),
                labels: self.labels[range.clone()].to_vec(),
                mix: self.mix.as_ref().map(|mix| Mix { share: mix.share, labels: mix.labels[range.clone()].to_vec() }),
                indices: self.indices[range].to_vec(),
            }
        };
        (0..count).map(part).collect()
    }
}

/// Makes the batch of any step.
pub(crate) struct Composer {
    dataset: Arc<Dataset>,
    indices: Arc<Vec<usize>>,
    epochs: Epochs,
    tables: Tables,
    batch_size: usize,
    seed: u64,
    augment: Augment,
    /// What is left to do for an image; a part of the original is cut out before.
    rest: Augment,
}

impl Composer {
    /// The settings must have passed [`LoaderConfig::check`].
    pub fn new(dataset: Arc<Dataset>, indices: Arc<Vec<usize>>, config: &LoaderConfig) -> Self {
        let cut = ResizedCrop { probability: 0.0, ..config.augment.resized_crop };
        let rest = match dataset.train.has_originals() {
            true => Augment { resized_crop: cut, ..config.augment },
            false => config.augment,
        };
        Self {
            epochs: Epochs::new(config.seed, indices.len()),
            tables: Tables::new(&dataset.mean, &dataset.std),
            dataset,
            indices,
            batch_size: config.batch_size,
            seed: config.seed,
            augment: config.augment,
            rest,
        }
    }

    pub fn batch(&self, step: u64) -> Result<Batch, DataError> {
        let split = &self.dataset.train;
        let Dataset { channels, height, width, .. } = *self.dataset;
        let first = Slot { seed: self.seed, step, slot: 0 };
        let mut images = Vec::with_capacity(self.batch_size * self.dataset.image_len());
        let mut indices = self.epochs.slots(step * self.batch_size as u64, self.batch_size);
        for (index, slot) in indices.iter_mut().zip(0..) {
            *index = self.indices[*index];
            let slot = Slot { slot, ..first };
            let window = |height, width| self.augment.resized_crop.window(slot, height, width);
            let bytes = match split.part(*index, window)? {
                Some(part) => part,
                None => split.image(*index)?.into_owned(),
            };
            let mut picture = Picture { channels, height, width, bytes };
            self.rest.change(slot, &mut picture)?;
            let start = images.len();
            self.tables.append(&picture.bytes, &mut images);
            self.augment.change_numbers(slot, &mut images[start..], [channels, height, width]);
        }
        let labels: Vec<i32> = indices.iter().map(|&index| split.labels[index] as i32).collect();
        let mix = self.augment.mix(first, &mut images, &labels, [channels, height, width]);
        Ok(Batch { step, images, labels, mix, indices })
    }
}

/// Consecutive images of a split, normalised, in order, without augmentation.
/// # Shapes
/// Returns `[range.len(), channels, height, width]`.
/// # Errors
/// The file of a streamed image has changed since the data set was opened.
/// # Panics
/// When the range ends beyond the split.
pub fn batch_plain(dataset: &Dataset, split: &Split, range: Range<usize>) -> Result<Vec<f32>, DataError> {
    plain(dataset, split, range)
}

/// The images of a split at these positions, normalised, in this order, without augmentation.
/// # Shapes
/// Returns `[indices.len(), channels, height, width]`.
/// # Errors
/// The file of a streamed image has changed since the data set was opened.
/// # Panics
/// When a position is beyond the split.
pub fn batch_at(dataset: &Dataset, split: &Split, indices: &[usize]) -> Result<Vec<f32>, DataError> {
    plain(dataset, split, indices.iter().copied())
}

fn plain(
    dataset: &Dataset,
    split: &Split,
    indices: impl ExactSizeIterator<Item = usize>,
) -> Result<Vec<f32>, DataError> {
    let tables = Tables::new(&dataset.mean, &dataset.std);
    let mut images = Vec::with_capacity(indices.len() * dataset.image_len());
    let indices: Vec<usize> = indices.collect();
    let bytes: Vec<Cow<'_, [u8]>> = indices.par_iter().map(|&index| split.image(index)).collect::<Result<_, _>>()?;
    bytes.iter().for_each(|image| tables.append(image, &mut images));
    Ok(images)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Image `i` has two channels of 2x3 pixels, all distinct from those of other images.
    pub fn tiny(samples: usize) -> Arc<Dataset> {
        let split = |samples: usize| {
            let pixels = (0..samples * 12).map(|index| (index % 251) as u8).collect();
            Split::held(pixels, (0..samples).map(|index| (index % 3) as u32).collect())
        };
        Arc::new(Dataset {
            name: "tiny".into(),
            channels: 2,
            native: (2, 3),
            cropped: false,
            height: 2,
            width: 3,
            labels: vec!["a".into(), "b".into(), "c".into()],
            mean: vec![0.25, 0.5],
            std: vec![0.5, 0.25],
            train: split(samples),
            validation: split(0),
            test: split(4),
            skipped: Vec::new(),
            notices: Vec::new(),
        })
    }

    fn composer(samples: usize, batch_size: usize, seed: u64, augment: Augment) -> Composer {
        let dataset = tiny(samples);
        let config = LoaderConfig { batch_size, seed, augment, ..LoaderConfig::default() };
        Composer::new(dataset, Arc::new((0..samples).collect()), &config)
    }

    #[test]
    fn a_batch_is_a_pure_function_of_seed_and_step() {
        let augment = Augment { crop_padding: 1, flip: true, ..Augment::default() };
        let one = composer(10, 4, 5, augment);
        let forwards: Vec<Batch> = (0..20).map(|step| one.batch(step).unwrap()).collect();
        let other = composer(10, 4, 5, augment);
        for step in (0..20).rev() {
            assert_eq!(other.batch(step).unwrap(), forwards[step as usize]);
        }
        assert_ne!(composer(10, 4, 6, augment).batch(0).unwrap(), forwards[0]);
    }

    #[test]
    fn without_augmentation_a_batch_equals_plain_images() {
        let dataset = tiny(10);
        let batch = composer(10, 25, 1, Augment::default()).batch(3).unwrap();
        assert_eq!(batch.images, batch_at(&dataset, &dataset.train, &batch.indices).unwrap());
        assert_eq!(batch.labels, batch.indices.iter().map(|index| (index % 3) as i32).collect::<Vec<_>>());
        let plain = |range| batch_plain(&dataset, &dataset.test, range).unwrap();
        assert_eq!(plain(1..3), batch_at(&dataset, &dataset.test, &[1, 2]).unwrap());
        assert_eq!(plain(0..1)[..2], [-0.5, (1.0 / 255.0 - 0.25) / 0.5]);
    }

    #[test]
    fn the_parts_of_a_batch_are_the_batch_and_mixing_reaches_the_pixels() {
        let whole = composer(10, 6, 1, Augment { mixup: 1.0, ..Augment::default() }).batch(2).unwrap();
        assert_ne!(whole.images, composer(10, 6, 1, Augment::default()).batch(2).unwrap().images);
        let parts = whole.clone().parts(3);
        assert_eq!(parts.iter().flat_map(|part| part.images.clone()).collect::<Vec<_>>(), whole.images);
        assert_eq!(parts.iter().flat_map(|part| part.labels.clone()).collect::<Vec<_>>(), whole.labels);
        let mixes: Vec<Mix> = parts.into_iter().map(|part| part.mix.unwrap()).collect();
        let mix = whole.mix.unwrap();
        assert!(mixes.iter().all(|part| part.share == mix.share && part.labels.len() == 2));
        assert_eq!(mixes.into_iter().flat_map(|part| part.labels).collect::<Vec<_>>(), mix.labels);
    }

    #[test]
    fn a_sample_is_augmented_anew_in_every_slot() {
        let augment = Augment { crop_padding: 1, flip: true, ..Augment::default() };
        let batch = composer(1, 64, 2, augment).batch(0).unwrap();
        let distinct: std::collections::HashSet<Vec<u32>> =
            batch.images.chunks_exact(12).map(|image| image.iter().map(|value| value.to_bits()).collect()).collect();
        assert!(distinct.len() > 8, "{} different images of 18 possible", distinct.len());
    }
}
