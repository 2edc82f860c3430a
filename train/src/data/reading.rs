//! How the images of a data set are read: the part `[images]` of a recipe.

use serde::{Deserialize, Serialize};

/// How the images of a data set are read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reading {
    /// Side of the square that every image becomes: the shorter side is resized to it, then the centre is cut out. When
    /// absent, images stay as they are and must have one size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    /// Channels of every image: 1 grey, 3 RGB, 4 RGBA. When absent, the most that an image of the set has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<usize>,
    /// Share of every class that is held out for testing where a data set has no test images of its own.
    pub held_out: f64,
    /// Seed of what is held out. It is not the run's, so that runs with different seeds share their test images.
    pub held_out_seed: u64,
    /// Whether damaged images are left out and counted instead of ending the run.
    pub skip_damaged: bool,
    /// Whether `augment.resized_crop` cuts its part out of the image as its file has it, instead of the square that it becomes.
    /// Training images are then decoded anew for every batch.
    pub originals: bool,
    /// Megabytes that the pixels of a data set may take in memory; a larger one is decoded anew for every batch.
    pub memory_mb: u64,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            size: None,
            channels: None,
            held_out: 0.1,
            held_out_seed: 0,
            skip_damaged: false,
            originals: false,
            memory_mb: 4096,
        }
    }
}

impl Reading {
    /// Checks the values.
    /// # Errors
    /// The key, its value and what is possible.
    pub fn check(&self) -> Result<(), String> {
        if self.size == Some(0) {
            return Err("images.size is 0; at least 1 is needed, or none to keep the size of the files".into());
        }
        if self.originals && self.size.is_none() {
            return Err("images.originals is true, but without images.size every image stays as it is".into());
        }
        match self.channels {
            None | Some(1 | 3 | 4) => {}
            Some(channels) => return Err(format!("images.channels is {channels}; known are 1, 3 and 4")),
        }
        if !(self.held_out > 0.0 && self.held_out < 1.0) {
            return Err(format!("images.held_out is {}; it must be above 0 and below 1", self.held_out));
        }
        if i64::try_from(self.held_out_seed).is_err() {
            return Err(format!("images.held_out_seed is {}; the largest is {}", self.held_out_seed, i64::MAX));
        }
        match i64::try_from(self.memory_mb) {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("images.memory_mb is {}; the largest is {}", self.memory_mb, i64::MAX)),
        }
    }

    /// # Units
    /// Bytes.
    pub(crate) fn memory_limit(&self) -> u64 {
        self.memory_mb.saturating_mul(1 << 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_make_no_sense_are_refused() {
        let good = Reading::default();
        assert_eq!(good.check(), Ok(()));
        let cases = [
            (Reading { size: Some(0), ..good }, "images.size is 0"),
            (Reading { channels: Some(2), ..good }, "images.channels is 2"),
            (Reading { originals: true, ..good }, "images.originals is true"),
            (Reading { held_out: 0.0, ..good }, "images.held_out is 0"),
            (Reading { held_out: f64::NAN, ..good }, "images.held_out is NaN"),
            (Reading { held_out_seed: u64::MAX, ..good }, "images.held_out_seed"),
            (Reading { memory_mb: u64::MAX, ..good }, "images.memory_mb"),
        ];
        for (reading, part) in cases {
            let message = reading.check().unwrap_err();
            assert!(message.contains(part), "{message:?} lacks {part:?}");
        }
    }
}
