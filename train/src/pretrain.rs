//! Pretraining: which of the masked patches belongs in which hole?

use crate::at_hand::AtHand;
use crate::data::{Batch, Dataset, Split, batch_plain};
use crate::engine::{Chance, Scores, Task, numbers};
use crate::loss::Answers;
use crate::seeds::{self, Purpose};
use crate::session::{Opened, Prepared, Session};
use crate::{Error, Forecast, LearningRates, Options, Stage, Summary, forecast, learning_rates};
use burn::tensor::{Device, FloatDType, Int, Tensor, TensorData};
use selfie_models::masking::Mask;
use selfie_models::network::{Network, NetworkConfig};
use selfie_models::selfie::{Selfie, SelfieConfig};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Images of a split on which the Selfie task is evaluated, at most.
const EVALUATED_IMAGES: usize = 2000;

/// Pretrains on all training images of a data set, without their labels.
///
/// # Errors
/// [`Error`] says what was wrong with the options, the data or the run folder, or at which step training diverged.
///
/// # Source
/// Trinh et al. 2019, section 2.
pub fn run(options: &Options) -> Result<Summary, Error> {
    run_on(options, None)
}

/// As [`run`], on a data set that is at hand.
pub(crate) fn run_on(options: &Options, at_hand: Option<&AtHand>) -> Result<Summary, Error> {
    let prepared = prepare(options, at_hand)?;
    match prepared.session.open(None)? {
        Opened::Ready(ready) => prepared.train(ready),
        Opened::Finished(summary) => Ok(*summary),
    }
}

/// Finds out what [`run`] would do and take, by a few steps that leave nothing behind.
///
/// # Errors
/// As [`run`].
pub fn forecast(options: &Options) -> Result<Forecast, Error> {
    forecast::of(&prepare(options, None)?)
}

/// Searches the learning rates at which the network learns, and draws them into an SVG file; nothing else is left behind.
///
/// # Errors
/// As [`run`], and [`Error::Plot`] or [`Error::Model`] when the picture cannot be made.
pub fn find_learning_rate(options: &Options, plot: &Path) -> Result<LearningRates, Error> {
    learning_rates::find(&prepare(options, None)?, plot)
}

fn prepare<'a>(options: &'a Options, at_hand: Option<&AtHand>) -> Result<Prepared<'a, Pretraining>, Error> {
    let session = Session::new(options, Stage::Pretrain, at_hand)?;
    if let Some(path) = &options.init {
        let reason = "pretraining starts from scratch; only fine-tuning has --init".into();
        return Err(Error::Init { path: path.clone(), reason });
    }
    let selfie = session.of_recipe(session.recipe.network.selfie(&session.dataset))?;
    let task = Pretraining {
        config: selfie.clone(),
        seed: session.recipe.seed,
        label_smoothing: session.recipe.label_smoothing,
        evaluation_batch_size: session.recipe.evaluation_batch_size,
        dataset: session.dataset.clone(),
        device: session.device.clone().inner(),
    };
    let network = fresh(&session, &selfie)?;
    let indices = (0..session.dataset.train.len()).collect();
    session.prepare(task, network, NetworkConfig::Selfie(selfie), indices)
}

/// The network before the first step.
pub(crate) fn fresh(session: &Session<'_>, config: &SelfieConfig) -> Result<Selfie, Error> {
    match session.fresh(&NetworkConfig::Selfie(config.clone())) {
        Network::Selfie(selfie) => Ok(selfie),
        Network::Classifier(_) => Err(Error::Internal { what: "a pretraining network is a classifier".into() }),
    }
}

/// The masks of some training images; `draw` numbers the random choices.
pub(crate) fn mask(config: &SelfieConfig, seed: u64, images: usize, draw: u64) -> Mask {
    let mut random = seeds::generator(seed, Purpose::Mask, draw);
    Mask::random(images, config.cells(), config.masked(), &mut random)
}

#[derive(Clone)]
struct Pretraining {
    config: SelfieConfig,
    seed: u64,
    label_smoothing: f64,
    evaluation_batch_size: usize,
    dataset: Arc<Dataset>,
    /// Without automatic differentiation.
    device: Device,
}

impl Task for Pretraining {
    type Network = Selfie;

    fn score(&self, network: &Selfie, images: Tensor<4>, batch: &Batch, draw: u64) -> Scores {
        let mask = mask(&self.config, self.seed, batch.labels.len(), draw);
        scores(network.forward(images, &mask), self.label_smoothing)
    }

    fn evaluate(&self, network: &Selfie, split: &Split) -> Result<BTreeMap<String, f64>, Error> {
        let Dataset { channels, height, width, .. } = &*self.dataset;
        let images = split.len().min(EVALUATED_IMAGES);
        let mut sums = [0.0; 2];
        for first in (0..images).step_by(self.evaluation_batch_size) {
            let range = first..images.min(first + self.evaluation_batch_size);
            let count = range.len();
            let mut random = seeds::generator(self.seed, Purpose::Evaluation, first as u64);
            let mask = Mask::random(count, self.config.cells(), self.config.masked(), &mut random);
            let pixels = batch_plain(&self.dataset, split, range)?;
            let batch = Tensor::from_data(TensorData::new(pixels, [count, *channels, *height, *width]), &self.device);
            let Scores { loss, accuracy } = scores(network.forward(batch, &mask), 0.0);
            for (sum, value) in sums.iter_mut().zip(numbers(vec![loss, accuracy])?) {
                *sum += value * count as f64;
            }
        }
        let mean = |sum: f64| sum / images.max(1) as f64;
        Ok(BTreeMap::from([("loss".into(), mean(sums[0])), ("accuracy".into(), mean(sums[1]))]))
    }

    fn chance(&self) -> Chance {
        Chance::among(self.config.masked())
    }

    fn wrap(network: Selfie) -> Network {
        Network::Selfie(network)
    }
}

/// Loss and accuracy over all masked positions of a batch; the answer for row i is column i.
///
/// # Shapes
/// - `scores`: `[batch, masked, masked]`
pub(crate) fn scores(scores: Tensor<3>, smoothing: f64) -> Scores {
    // Whatever the network computes in: a loss of 8 bits is none.
    let scores = scores.cast(FloatDType::F32);
    let [batch, masked, _] = scores.dims();
    let device = scores.device();
    let rows: Tensor<2> = scores.reshape([batch * masked, masked]);
    let own: Tensor<1, Int> = Tensor::arange(0..masked as i64, &device).repeat_dim(0, batch);
    let answers = Answers { own, other: None, smoothing };
    let accuracy = answers.accuracy(rows.clone());
    Scores { loss: answers.loss(rows), accuracy }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knowing_nothing_and_knowing_all_have_their_loss_and_accuracy() {
        let device = Device::flex();
        let nothing = scores(Tensor::zeros([3, 4, 4], &device), 0.0);
        assert!((nothing.loss.into_scalar::<f32>() - 4f32.ln()).abs() < 1e-5);
        // Of four equal scores one is taken: one row of four is right by luck.
        assert_eq!(nothing.accuracy.into_scalar::<f32>(), 0.25);
        let all = Tensor::<2>::eye(4, &device).mul_scalar(50.0).unsqueeze_dim::<3>(0).repeat_dim(0, 3);
        let all = scores(all, 0.0);
        assert!(all.loss.into_scalar::<f32>() < 1e-5);
        assert_eq!(all.accuracy.into_scalar::<f32>(), 1.0);
    }

    #[test]
    fn the_answer_of_a_row_is_its_own_column() {
        let device = Device::flex();
        // Every row points at the next column: all are wrong.
        let wrong = Tensor::<3>::from_floats([[[0.0, 9.0, 0.0], [0.0, 0.0, 9.0], [9.0, 0.0, 0.0]]], &device);
        assert_eq!(scores(wrong, 0.0).accuracy.into_scalar::<f32>(), 0.0);
    }
}
