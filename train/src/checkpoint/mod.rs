//! Checkpoints by step: what a resumed run needs to end with the very same weights.
//!
//! A checkpoint is a folder `step-00001000` with `weights.safetensors` (batch-norm statistics included),
//! `optimiser.bpk` (momentum), `average.safetensors` where the weights are averaged, and `checkpoint.json` ([`State`]). Data order, augmentation, masks and dropout need no
//! state: they are functions of the seed and the step. It is written under another name and renamed, so that a folder
//! with the right name is whole.

pub(crate) mod best;
mod folder;

use crate::average::Average;
use crate::best::Best;
use crate::course::Course;
use crate::parameters::{are_finite, number_by_place};
use crate::run::{read_json, write_json};
use crate::{Error, Recipe, optimiser};
use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use selfie_models::digest;
use selfie_models::network::NetworkConfig;
use selfie_models::saved::{load_weights, save_weights};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const WEIGHTS_FILE: &str = "weights.safetensors";
const AVERAGE_FILE: &str = "average.safetensors";
const OPTIMISER_FILE: &str = "optimiser.bpk";
const STATE_FILE: &str = "checkpoint.json";
const PREFIX: &str = "step-";

/// Where a run stood, and what it was a run of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    /// Steps that were done.
    pub(crate) step: u64,
    /// Seconds of training so far.
    pub(crate) seconds: f64,
    /// Sums since the last line of metrics.
    pub(crate) window: Window,
    /// The best step so far, where one is looked for.
    #[serde(default)]
    pub(crate) best: Option<Best>,
    /// The course of the loss.
    #[serde(default)]
    pub(crate) course: Course,
    /// The recipe.
    pub(crate) recipe: Recipe,
    /// The network.
    pub(crate) network: NetworkConfig,
    /// SHA-256 of the data set.
    pub(crate) data_sha256: String,
    /// SHA-256 of the checkpoint's other files.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
}

/// Sums over steps, for means.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    pub(crate) steps: u64,
    pub(crate) loss: f64,
    pub(crate) accuracy: f64,
    pub(crate) gradient_norm: f64,
}

/// Writes a checkpoint and removes those that the recipe does not keep, but for the newest one from before the loss rose. One that
/// could not go on is refused.
pub(crate) fn save<M: Module>(
    parent: &Path,
    mut state: State,
    network: &M,
    optimiser: &ModuleOptimizer,
    average: Option<&Average<M>>,
) -> Result<(), Error> {
    if !are_finite(network)? {
        return Err(Error::NotFinite { step: state.step, what: "sum of the weights".into(), value: f64::NAN });
    }
    let (step, best) = (state.step, state.best.as_ref().map(|best| best.step));
    let Recipe { keep_checkpoints, keep_every, .. } = state.recipe;
    folder::write(parent, &format!("{PREFIX}{step:08}"), |folder| {
        // Burn's batch norm holds its latest statistics back until they are asked for; `valid` asks.
        save_weights(&network.valid(), &folder.join(WEIGHTS_FILE))?;
        let path = folder.join(OPTIMISER_FILE);
        let reason = |error: &dyn std::fmt::Display| Error::Damaged { path: path.clone(), reason: error.to_string() };
        optimiser.to_record().save(&path).map_err(|error| reason(&error))?;
        if let Some(average) = average {
            save_weights(average.network(), &folder.join(AVERAGE_FILE))?;
        }
        let files = [Some(WEIGHTS_FILE), Some(OPTIMISER_FILE), average.map(|_| AVERAGE_FILE)];
        for file in files.into_iter().flatten() {
            folder::sync(&folder.join(file))?;
            state.files.insert(file.to_owned(), digest::of_file(&folder.join(file))?);
        }
        write_json(&folder.join(STATE_FILE), &state)
    })?;
    let whole = folder::list(parent, PREFIX)?;
    let is_even = |(step, _): &&(u64, PathBuf)| state.course.has_risen() && state.course.is_even_after(*step);
    let even = whole.iter().rev().find(is_even).map(|(step, _)| *step);
    for (step, old) in &whole[..whole.len().saturating_sub(keep_checkpoints)] {
        if Some(*step) != even && (keep_every == 0 || !step.is_multiple_of(keep_every)) {
            folder::remove(old)?;
        }
    }
    best::prune(parent, best)
}

/// The newest checkpoint of a folder, if there is one.
pub(crate) fn latest(parent: &Path) -> Result<Option<PathBuf>, Error> {
    Ok(folder::list(parent, PREFIX)?.pop().map(|(_, path)| path))
}

/// Removes the checkpoints since the loss rose, and gives the newest one from before.
pub(crate) fn go_back(parent: &Path, course: &Course) -> Result<Option<PathBuf>, Error> {
    for (step, folder) in folder::list(parent, PREFIX)? {
        if !course.is_even_after(step) {
            folder::remove(&folder)?;
        }
    }
    latest(parent)
}

/// Reads where a run stood and checks that it is the run that `expected` describes, but for keys that were changed since.
pub(crate) fn read(path: &Path, expected: &State, changed: &[String]) -> Result<State, Error> {
    let wrong = |reason: String| Err(Error::Checkpoint { path: path.to_owned(), reason });
    let state: State = read_json(&path.join(STATE_FILE))?;
    for (file, wanted) in &state.files {
        let found = digest::of_file(&path.join(file))?;
        if found != *wanted {
            return wrong(format!(
                "{file} is damaged: its SHA-256 is {found}, expected {wanted}; remove this checkpoint to go on from an \
                 earlier one"
            ));
        }
    }
    let differences: Vec<String> = (state.recipe.differences(&expected.recipe).into_iter())
        .filter(|(key, ..)| !expected.recipe.is_free_on_resume(key) && !changed.contains(key))
        .map(|(key, saved, asked)| format!("{key} was {saved}, now {asked}"))
        .collect();
    if !differences.is_empty() {
        return wrong(format!("it belongs to another recipe: {}", differences.join("; ")));
    }
    if state.network != expected.network {
        return wrong(format!("it holds another network: {:?}, now {:?}", state.network, expected.network));
    }
    if state.data_sha256 != expected.data_sha256 {
        let (saved, now) = (&state.data_sha256, &expected.data_sha256);
        return wrong(format!("it was trained on other data: their SHA-256 was {saved}, now {now}"));
    }
    Ok(state)
}

/// A network on its way.
pub(crate) struct Loaded<M> {
    pub(crate) network: M,
    pub(crate) optimiser: ModuleOptimizer,
    pub(crate) average: Option<Average<M>>,
}

/// Gives a network, its optimiser and its average the state of a checkpoint.
pub(crate) fn load<M: Module>(path: &Path, state: &State, network: M) -> Result<Loaded<M>, Error> {
    let decay = state.recipe.ema_decay;
    let average = match decay > 0.0 {
        true => Some(Average::from_saved(load_weights(network.valid(), &path.join(AVERAGE_FILE))?, decay)),
        false => None,
    };
    let network = number_by_place(load_weights(network, &path.join(WEIGHTS_FILE))?);
    let file = path.join(OPTIMISER_FILE);
    let record = OptimizerRecord::load(&file)
        .map_err(|error| Error::Damaged { path: file.clone(), reason: error.to_string() })?;
    let optimiser = optimiser::new(&network, &state.recipe).load_record(record);
    Ok(Loaded { network, optimiser, average })
}

#[cfg(test)]
mod tests;
