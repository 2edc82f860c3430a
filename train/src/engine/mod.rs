//! The training loop that pretraining and fine-tuning share: plain steps, metrics, checkpoints.
//!
//! `training` is the loop between two steps, `descent` one step. Its batch goes in parts through the `lane` of each device of a
//! `crew`; a `part` gives loss and gradients. `finish` leaves the network and its numbers.

mod crew;
mod descent;
mod finish;
mod lane;
mod part;
mod training;

pub(crate) use descent::{Descent, Stepped};

use crate::checkpoint::{self, State};
use crate::data::{Batch, Dataset, Loader, Split};
use crate::run::{CHECKPOINTS_FOLDER, RunFolder};
use crate::signals::Signals;
use crate::{Error, Recipe};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use selfie_models::network::Network;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use training::Training;

/// What pretraining and fine-tuning do differently.
pub(crate) trait Task: Clone + Send + 'static {
    /// The network that is trained.
    type Network: Module + 'static;

    /// Loss and accuracy of a training batch; its pixels are in `images` alone, and `draw` numbers its random choices.
    fn score(&self, network: &Self::Network, images: Tensor<4>, batch: &Batch, draw: u64) -> Scores;

    /// Loss and accuracy over a split; the network is in evaluation mode.
    fn evaluate(&self, network: &Self::Network, split: &Split) -> Result<BTreeMap<String, f64>, Error>;

    /// What knowing nothing gives.
    fn chance(&self) -> Chance;

    /// The network as any network.
    fn wrap(network: Self::Network) -> Network;
}

/// Loss and accuracy of a batch, `[1]` each, in 32 bits whatever the network computes in.
pub(crate) struct Scores {
    pub(crate) loss: Tensor<1>,
    pub(crate) accuracy: Tensor<1>,
}

/// The accuracy and the loss of knowing nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Chance {
    pub(crate) accuracy: f64,
    pub(crate) loss: f64,
}

impl Chance {
    /// A guess among `answers` equally likely ones.
    pub(crate) fn among(answers: usize) -> Self {
        Self { accuracy: 1.0 / answers as f64, loss: (answers as f64).ln() }
    }
}

/// Everything that a loop needs beside the task.
pub(crate) struct Plan<'a> {
    pub(crate) recipe: &'a Recipe,
    pub(crate) folder: &'a RunFolder,
    /// With automatic differentiation; the network is on the first one.
    pub(crate) devices: Vec<Device>,
    pub(crate) dataset: Arc<Dataset>,
    /// Training images that are used.
    pub(crate) indices: Arc<Vec<usize>>,
    /// The images by which the best step is found, if one is looked for.
    pub(crate) validation: Option<Split>,
    /// Keys of the recipe that have another value than checkpoints may have.
    pub(crate) changed: &'a [String],
    /// What a checkpoint must belong to.
    pub(crate) identity: State,
    /// First start of the run, in seconds since 1970.
    pub(crate) started_unix_s: u64,
    pub(crate) quiet: bool,
}

/// A trained network and what it took.
pub(crate) struct Trained<N> {
    /// In evaluation mode.
    pub(crate) network: N,
    /// The average of the weights over the steps with its own metrics, where one is kept; in evaluation mode.
    pub(crate) average: Option<(N, BTreeMap<String, f64>)>,
    /// The step that the network is of.
    pub(crate) step: u64,
    pub(crate) seconds: f64,
    pub(crate) metrics: BTreeMap<String, f64>,
}

/// Trains from the newest checkpoint of the run folder, or else from the start.
pub(crate) fn train<T: Task>(plan: &Plan, task: &T, network: T::Network) -> Result<Trained<T::Network>, Error> {
    let signals = Signals::catch()?;
    let (mut training, network) = Training::start(plan, task, network)?;
    let trained = descend(&mut training, network, &signals).and_then(|network| training.finish(network));
    trained.map_err(|error| match error {
        Error::NotFinite { step, what, value } => training.diverged(step, format!("the {what} is {value}")),
        error => error,
    })
}

/// Does the steps that are left.
fn descend<T: Task>(
    training: &mut Training<'_, T>,
    mut network: T::Network,
    signals: &Signals,
) -> Result<T::Network, Error> {
    let Plan { recipe, dataset, indices, .. } = training.plan;
    let steps = recipe.steps;
    let mut loader = Loader::new(dataset.clone(), indices.clone(), recipe.loading(training.state.step..steps))?;
    while training.goes_on() {
        let asked = Instant::now();
        let Some(batch) = loader.next() else {
            let what = format!("the loader ended at step {} of {steps}", training.state.step);
            return Err(Error::Internal { what });
        };
        let batch = batch?;
        training.waited += asked.elapsed().as_secs_f64();
        network = training.step(network, batch)?;
        training.check_course()?;
        training.after_step(&network).map_err(|error| training.unwritten(error))?;
        if let Some(signal) = signals.asked() {
            training.checkpoint(&network).map_err(|error| training.unwritten(error))?;
            return Err(training.interrupted(signal));
        }
    }
    Ok(network)
}

/// Says at which step a file could not be written, and what a later start can go on from; other errors stay as they are.
pub(crate) fn unwritten(error: Error, folder: &RunFolder, step: u64) -> Error {
    match error {
        Error::Io { .. } | Error::Damaged { .. } | Error::Model(_) | Error::Plot { .. } => {
            let last = checkpoint::latest(&folder.file(CHECKPOINTS_FOLDER)).ok().flatten();
            Error::Unwritten { step, last, cause: Box::new(error) }
        }
        error => error,
    }
}

/// Reads tensors of one number each with one wait for the device.
pub(crate) fn numbers(tensors: Vec<Tensor<1>>) -> Result<Vec<f64>, Error> {
    let all: Vec<f32> = Tensor::cat(tensors, 0)
        .try_into_vec_as()
        .map_err(|error| Error::Device { what: "numbers of a step", reason: format!("{error:?}") })?;
    Ok(all.into_iter().map(f64::from).collect())
}
