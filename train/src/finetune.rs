//! Fine-tuning: a classifier from few labels, on top of trained weights or from scratch.
//!
//! The supervised twin of a run is the same recipe without `init`: it has the same labels, batches and seeds.

use crate::at_hand::AtHand;
use crate::data::{self, Batch, Dataset, Split};
use crate::engine::{Chance, Scores, Task};
use crate::evaluate::{Confusion, logits_of};
use crate::loss::Answers;
use crate::run::{InitRecord, LABELS_FILE, Labels};
use crate::session::{Opened, Prepared, Session};
use crate::start::Start;
use crate::{Error, Forecast, LearningRates, Options, Stage, Summary, forecast, learning_rates};
use burn::tensor::{Device, FloatDType, Int, Tensor, TensorData};
use selfie_models::classifier::Classifier;
use selfie_models::network::{Network, NetworkConfig};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Trains a classifier on a part of the labels, from trained weights or from scratch.
///
/// # Errors
/// [`Error`] says what was wrong with the options, the data or the run folders, or at which step training diverged.
///
/// # Source
/// Trinh et al. 2019, section 3.
pub fn run(options: &Options) -> Result<Summary, Error> {
    run_on(options, None)
}

/// As [`run`], on a data set that is at hand.
pub(crate) fn run_on(options: &Options, at_hand: Option<&AtHand>) -> Result<Summary, Error> {
    let (prepared, init, labels) = prepare(options, at_hand)?;
    match prepared.session.open(init)? {
        Opened::Ready(ready) => {
            ready.folder.write_json(LABELS_FILE, &labels)?;
            prepared.train(ready)
        }
        Opened::Finished(summary) => Ok(*summary),
    }
}

/// Finds out what [`run`] would do and take, by a few steps that leave nothing behind.
///
/// # Errors
/// As [`run`].
pub fn forecast(options: &Options) -> Result<Forecast, Error> {
    forecast::of(&prepare(options, None)?.0)
}

/// Searches the learning rates at which the network learns, and draws them into an SVG file; nothing else is left behind.
///
/// # Errors
/// As [`run`], and [`Error::Plot`] or [`Error::Model`] when the picture cannot be made.
pub fn find_learning_rate(options: &Options, plot: &Path) -> Result<LearningRates, Error> {
    learning_rates::find(&prepare(options, None)?.0, plot)
}

/// What a run needs, the run that it starts from, and the labels that it uses.
type Preparation<'a> = (Prepared<'a, Finetuning>, Option<InitRecord>, Labels);

fn prepare<'a>(options: &'a Options, at_hand: Option<&AtHand>) -> Result<Preparation<'a>, Error> {
    let session = Session::new(options, Stage::Finetune, at_hand)?;
    session.dataset.check_classes()?;
    let classifier = session.of_recipe(session.recipe.network.classifier(&session.dataset))?;
    let recorded = session.earlier()?.and_then(|earlier| earlier.init).map(|init| init.path);
    let init = match options.init.clone().or(recorded) {
        Some(path) => Some(Start::open(&path, &classifier, &session.device)?),
        None => None,
    };
    let (fraction, seed) = (session.recipe.label_fraction, session.recipe.seed);
    let indices = labelled(&session)?;
    let counts = counts(&session.dataset, &indices);
    let labels = Labels { fraction, seed, counts, indices: indices.clone() };
    let config = NetworkConfig::Classifier(classifier);
    let network = initial(&session, &config, init.as_ref())?;
    let task = Finetuning {
        label_smoothing: session.recipe.label_smoothing,
        evaluation_batch_size: session.recipe.evaluation_batch_size,
        dataset: session.dataset.clone(),
        device: session.device.clone().inner(),
    };
    let prepared = session.prepare(task, network, config, indices)?;
    Ok((prepared, init.map(|init| init.record), labels))
}

/// Images of each class.
fn counts(dataset: &Dataset, indices: &[usize]) -> BTreeMap<String, usize> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for index in indices {
        let label = dataset.train.labels[*index] as usize;
        *counts.entry(dataset.labels.get(label).cloned().unwrap_or_else(|| label.to_string())).or_default() += 1;
    }
    counts
}

/// The training images that are seen with their labels.
pub(crate) fn labelled(session: &Session<'_>) -> Result<Vec<usize>, Error> {
    let labels = &session.dataset.train.labels;
    Ok(data::stratified(labels, session.recipe.label_fraction, session.recipe.seed)?)
}

/// The network before the first step.
pub(crate) fn initial(
    session: &Session<'_>,
    config: &NetworkConfig,
    init: Option<&Start>,
) -> Result<Classifier, Error> {
    match (session.fresh(config), init) {
        (Network::Classifier(fresh), Some(init)) => init.give(fresh),
        (Network::Classifier(fresh), None) => Ok(fresh),
        (Network::Selfie(_), _) => Err(Error::Internal { what: "a classifier is a pretraining network".into() }),
    }
}

#[derive(Clone)]
struct Finetuning {
    label_smoothing: f64,
    evaluation_batch_size: usize,
    dataset: Arc<Dataset>,
    /// Without automatic differentiation.
    device: Device,
}

impl Task for Finetuning {
    type Network = Classifier;

    fn score(&self, network: &Classifier, images: Tensor<4>, batch: &Batch, _draw: u64) -> Scores {
        let device = images.device();
        // Whatever the network computes in: a loss of 8 bits is none.
        let logits = network.forward(images).logits.cast(FloatDType::F32);
        let labels = |labels: &[i32]| -> Tensor<1, Int> {
            Tensor::from_data(TensorData::new(labels.to_vec(), [labels.len()]), &device)
        };
        let answers = Answers {
            own: labels(&batch.labels),
            other: batch.mix.as_ref().map(|mix| (labels(&mix.labels), mix.share)),
            smoothing: self.label_smoothing,
        };
        let accuracy = answers.accuracy(logits.clone());
        Scores { loss: answers.loss(logits), accuracy }
    }

    fn evaluate(&self, network: &Classifier, split: &Split) -> Result<BTreeMap<String, f64>, Error> {
        let logits = logits_of(&self.dataset, split, self.evaluation_batch_size, &self.device, |images| {
            network.forward(images).logits
        })?;
        let confusion = Confusion::of(&logits, &split.labels, self.dataset.labels.len());
        Ok(BTreeMap::from([("loss".into(), confusion.loss), ("accuracy".into(), confusion.accuracy())]))
    }

    fn chance(&self) -> Chance {
        Chance::among(self.dataset.labels.len())
    }

    fn wrap(network: Classifier) -> Network {
        Network::Classifier(network)
    }
}
