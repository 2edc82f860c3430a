//! How batches are made, and which settings make no sense.

use super::{Augment, DataError, Dataset};

/// How batches are made.
#[derive(Debug, Clone, PartialEq)]
pub struct LoaderConfig {
    /// Images a batch.
    pub batch_size: usize,
    /// Of order and augmentation.
    pub seed: u64,
    /// The first step to make.
    pub first_step: u64,
    /// The step to end before.
    pub last_step: u64,
    /// What may happen to the images.
    pub augment: Augment,
    /// Threads.
    pub workers: usize,
    /// Batches that may wait for the reader, over all threads; every thread holds one more in its hands.
    pub prefetch: usize,
}

impl Default for LoaderConfig {
    fn default() -> Self {
        Self {
            batch_size: 64,
            seed: 0,
            first_step: 0,
            last_step: 0,
            augment: Augment::default(),
            workers: 1,
            prefetch: 4,
        }
    }
}

impl LoaderConfig {
    /// Compares the settings with the images that are to be loaded.
    pub(crate) fn check(&self, dataset: &Dataset, indices: &[usize]) -> Result<(), DataError> {
        let error = |field, value, problem: String| Err(DataError::Loader { field, value, problem });
        let images = dataset.train.len();
        if self.batch_size == 0 {
            return error("batch_size", 0, "a batch needs an image".to_owned());
        }
        if self.workers == 0 {
            return error("workers", 0, "someone must make the batches".to_owned());
        }
        if indices.is_empty() || u32::try_from(indices.len()).is_err() {
            return error("indices.len", indices.len() as u64, "between 1 and 2^32 - 1 images are possible".to_owned());
        }
        if let Some(&index) = indices.iter().find(|&&index| index >= images) {
            return error("indices", index as u64, format!("there are {images} training images"));
        }
        if self.first_step > self.last_step {
            return error("first_step", self.first_step, format!("is beyond last_step = {}", self.last_step));
        }
        if self.last_step.checked_mul(self.batch_size as u64).is_none() {
            return error("last_step", self.last_step, format!("too many for batches of {}", self.batch_size));
        }
        let smaller = dataset.height.min(dataset.width);
        if self.augment.crop_padding >= smaller {
            let problem = format!("must be below the smaller side of the images, {smaller}");
            return error("crop_padding", self.augment.crop_padding as u64, problem);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::batch::tests::tiny;

    fn config() -> LoaderConfig {
        LoaderConfig {
            batch_size: 4,
            seed: 11,
            first_step: 0,
            last_step: 25,
            augment: Augment { crop_padding: 1, flip: true, ..Augment::default() },
            workers: 1,
            prefetch: 3,
        }
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        let augment = Augment { crop_padding: 2, ..Augment::default() };
        let cases: [(LoaderConfig, Vec<usize>, &str); 8] = [
            (LoaderConfig { batch_size: 0, ..config() }, vec![0], "batch_size = 0"),
            (LoaderConfig { workers: 0, ..config() }, vec![0], "workers = 0"),
            (config(), vec![], "indices.len = 0"),
            (config(), vec![0, 10], "indices = 10: there are 10 training images"),
            (LoaderConfig { first_step: 26, ..config() }, vec![0], "first_step = 26: is beyond last_step = 25"),
            (LoaderConfig { last_step: u64::MAX, ..config() }, vec![0], "too many for batches of 4"),
            (LoaderConfig { augment, ..config() }, vec![0], "crop_padding = 2: must be below the smaller side"),
            (LoaderConfig { first_step: 9, last_step: 3, ..config() }, vec![0], "first_step = 9"),
        ];
        let wrong: Vec<String> = cases
            .into_iter()
            .filter_map(|(config, indices, part)| {
                let result = config.check(&tiny(10), &indices);
                let message = result.err().map_or_else(|| "no error".to_owned(), |error| error.to_string());
                (!message.contains(part)).then(|| format!("{message:?} lacks {part:?}"))
            })
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
