//! What a report is about.

use super::answers::{self, Answer};
use crate::data::{Dataset, Split, batch_at};
use crate::engine::Chance;
use crate::run::RunRecord;
use crate::run::metrics::Line;
use crate::{Error, Recipe, Stage};
use burn::tensor::{Device, Tensor, TensorData};
use selfie_models::network::{Network, NetworkConfig};

/// A run, its data and, when it is finished, its network.
pub(crate) struct Subject<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) record: &'a RunRecord,
    pub(super) lines: &'a [Line],
    /// The data set as it was named for the report.
    pub(super) data: &'a str,
    pub(super) dataset: &'a Dataset,
    /// What knowing nothing gives.
    pub(super) chance: Chance,
    pub(super) trained: Option<Trained<'a>>,
    /// What a classifier says about every image of [`Subject::images`].
    pub(super) answers: Vec<Answer>,
}

/// A trained network.
pub(crate) struct Trained<'a> {
    /// In evaluation mode.
    pub(crate) network: &'a Network,
    pub(crate) config: &'a NetworkConfig,
    /// Without automatic differentiation.
    pub(crate) device: Device,
}

impl<'a> Subject<'a> {
    pub(crate) fn new(
        recipe: &'a Recipe,
        record: &'a RunRecord,
        lines: &'a [Line],
        data: &'a str,
        dataset: &'a Dataset,
        trained: Option<Trained<'a>>,
    ) -> Result<Self, Error> {
        let chance = Chance::among(match recipe.stage {
            Stage::Pretrain => recipe.network.selfie(dataset)?.masked(),
            Stage::Finetune => dataset.labels.len(),
        });
        let mut subject = Self { recipe, record, lines, data, dataset, chance, trained, answers: Vec::new() };
        subject.answers = answers::of(&subject)?;
        Ok(subject)
    }

    /// The images that the network is asked about: those of the test split, or else training images.
    pub(super) fn images(&self) -> (&'a Split, &'static str) {
        match &self.dataset.test {
            test if test.is_empty() => (&self.dataset.train, "training"),
            test => (test, "test"),
        }
    }

    /// Places of at most `count` images, taken evenly.
    pub(super) fn sample(&self, count: usize) -> Vec<usize> {
        let images = self.images().0.len();
        let count = count.min(images);
        (0..count).map(|index| index * images / count).collect()
    }

    /// Name of the class of a label.
    pub(super) fn class(&self, label: u32) -> String {
        self.dataset.labels.get(label as usize).cloned().unwrap_or_else(|| label.to_string())
    }

    /// What a network gives for the images at these places, number after number.
    pub(super) fn outputs<const D: usize>(
        &self,
        device: &Device,
        places: &[usize],
        forward: impl FnOnce(Tensor<4>) -> Tensor<D>,
    ) -> Result<Vec<f32>, Error> {
        let Dataset { channels, height, width, .. } = *self.dataset;
        let pixels = batch_at(self.dataset, self.images().0, places)?;
        let images = Tensor::from_data(TensorData::new(pixels, [places.len(), channels, height, width]), device);
        forward(images)
            .try_into_vec_as()
            .map_err(|error| Error::Device { what: "outputs for the report", reason: format!("{error:?}") })
    }
}
