//! The place of real images in a binary that opens no data sets.

use anyhow::bail;
use burn::tensor::TensorData;
use selfie_export::Model;
use selfie_export::verify::Runner;
use selfie_models::Card;

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

/// Images that cannot be opened here.
pub enum Pictures {}

impl Pictures {
    /// # Errors
    /// Always: data sets belong to the feature `train`.
    pub fn open(spec: &str, _: &Card) -> anyhow::Result<Self> {
        bail!("{spec} cannot be opened: this selfie is built without its feature `train`, which knows data sets")
    }

    pub fn calibration(&self, _: &Model, _: &Card) -> anyhow::Result<Vec<Vec<TensorData>>> {
        match *self {}
    }

    pub fn examples(&self, _: &Model, _: &Card) -> anyhow::Result<Vec<(TensorData, TensorData)>> {
        match *self {}
    }

    pub fn score(&self, _: &dyn Runner, _: &Model, _: &Card) -> anyhow::Result<Option<Score>> {
        match *self {}
    }
}
