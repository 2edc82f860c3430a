//! Real images: for the scales of 8-bit integers, and to count how many are classified right.

use super::Loadable;
use super::cases::fixed_batch;
use anyhow::{Context, ensure};
use burn::tensor::TensorData;
use selfie_export::Model;
use selfie_export::verify::Runner;
use selfie_models::Card;
use selfie_models::card::{InputDtype, Layout};
use selfie_models::samples::{GOLDEN_BATCHES, network_input};
use selfie_train::data::{self, Dataset, Split};
use std::time::Instant;

/// Images for the scales.
const CALIBRATION_IMAGES: usize = 512;
/// Images of a batch where any size is taken.
const BATCH: usize = 64;

/// What a model makes of the test images.
#[derive(Clone, Copy, Debug)]
pub struct Score {
    /// Test images.
    pub images: usize,
    /// Part of them that is classified right.
    pub accuracy: f64,
    /// Images a second in the runtime alone.
    pub images_per_second: f64,
}

/// The images of a data set that fits a card.
pub struct Pictures {
    dataset: Dataset,
}

impl Pictures {
    /// Opens a data set.
    ///
    /// # Errors
    /// Its images are of another size than the card's.
    pub fn open(spec: &str, card: &Card) -> anyhow::Result<Self> {
        let dataset = data::open(spec)?;
        let found = [dataset.channels, dataset.height, dataset.width];
        let wanted = [card.input.channels, card.input.height, card.input.width];
        ensure!(
            found == wanted,
            "the images of {spec} are {found:?} (channels, height, width), the model takes {wanted:?}; name a data set \
             that fits"
        );
        Ok(Self { dataset })
    }

    /// Training images from the whole split, for a model that takes normalised images.
    pub fn calibration(&self, model: &Model, card: &Card) -> anyhow::Result<Vec<Vec<TensorData>>> {
        let split = &self.dataset.train;
        let count = CALIBRATION_IMAGES.min(split.len());
        let batch = fixed_batch(model).unwrap_or(BATCH);
        ensure!(count >= batch, "{} holds {count} training images, fewer than a batch of {batch}", self.dataset.name);
        let indices: Vec<usize> = (0..count).map(|index| index * split.len() / count).collect();
        let whole = indices.chunks_exact(batch);
        whole.map(|indices| Ok(vec![normalised(card, split, indices)?])).collect()
    }

    /// Batches of test images in the form of the card, and as the network itself sees them.
    ///
    /// # Errors
    /// An image cannot be read any more.
    pub fn examples(&self, model: &Model, card: &Card) -> anyhow::Result<Vec<(TensorData, TensorData)>> {
        let split = &self.dataset.test;
        let batches = fixed_batch(model).map_or(GOLDEN_BATCHES.to_vec(), |batch| vec![batch]);
        let whole = batches.into_iter().map(|batch| (0..batch.min(split.len())).collect::<Vec<_>>());
        whole.map(|indices| Ok((images(card, split, &indices)?, normalised(card, split, &indices)?))).collect()
    }

    /// How many test images get the highest score for their class, and how fast. `None` where the model gives no scores,
    /// or for other classes than those of the data set.
    pub fn score(&self, runner: &dyn Runner, model: &Model, card: &Card) -> anyhow::Result<Option<Score>> {
        let Some(logits) = card.outputs.logits.as_ref().filter(|logits| logits.labels == self.dataset.labels) else {
            return Ok(None);
        };
        let loadable = Loadable::of(model)?;
        let mut session = loadable.load(runner)?;
        let split = &self.dataset.test;
        let batch = fixed_batch(model).unwrap_or(BATCH);
        let indices: Vec<usize> = (0..split.len()).collect();
        let (mut right, mut seen, mut seconds) = (0usize, 0usize, 0.0);
        for indices in indices.chunks(batch).filter(|indices| fixed_batch(model).is_none() || indices.len() == batch) {
            let inputs = [images(card, split, indices)?];
            let started = Instant::now();
            let outputs = session.run(&inputs)?;
            seconds += started.elapsed().as_secs_f64();
            let scores = outputs.iter().find(|(name, _)| *name == logits.name);
            let (_, scores) = scores.with_context(|| format!("the model gives no output {:?}", logits.name))?;
            let scores: Vec<f32> = scores.iter::<f32>().collect();
            for (scores, index) in scores.chunks_exact(logits.labels.len()).zip(indices) {
                let best = (0..scores.len()).rev().max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
                right += usize::from(best == Some(split.labels[*index] as usize));
                seen += 1;
            }
        }
        let accuracy = right as f64 / seen.max(1) as f64;
        Ok(Some(Score { images: seen, accuracy, images_per_second: seen as f64 / seconds }))
    }
}

/// Images in the form that the card declares.
fn images(card: &Card, split: &Split, indices: &[usize]) -> anyhow::Result<TensorData> {
    match card.input.dtype {
        InputDtype::F32 => normalised(card, split, indices),
        InputDtype::U8 => {
            let (channels, pixels) = (card.input.channels, card.input.height * card.input.width);
            let mut bytes = Vec::with_capacity(indices.len() * channels * pixels);
            for index in indices {
                let image = split.image(*index)?;
                bytes.extend((0..pixels * channels).map(|place| image[place % channels * pixels + place / channels]));
            }
            Ok(TensorData::new(bytes, card.input.shape(indices.len())))
        }
    }
}

/// Images as the network itself sees them.
fn normalised(card: &Card, split: &Split, indices: &[usize]) -> anyhow::Result<TensorData> {
    let mut raw = card.clone();
    (raw.input.dtype, raw.input.layout) = (InputDtype::U8, Layout::Nchw);
    let mut bytes = Vec::new();
    for index in indices {
        bytes.extend(split.image(*index)?.iter().map(|byte| f32::from(*byte)));
    }
    Ok(network_input(&raw, indices.len(), &bytes))
}
