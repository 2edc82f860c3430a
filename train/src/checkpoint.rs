//! Checkpoints by step: what a resumed run needs to end with the very same weights.
//!
//! A checkpoint is a folder `step-00001000` with `weights.safetensors` (batch-norm statistics included),
//! `optimiser.bpk` (momentum) and `checkpoint.json` ([`State`]). Data order, augmentation, masks and dropout need no
//! state: they are functions of the seed and the step. It is written under another name and renamed, so that a folder
//! with the right name is whole.

use crate::parameters::number_by_place;
use crate::run::{read_json, write_json};
use crate::{Error, Recipe, optimiser};
use burn::module::Module;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use selfie_models::digest;
use selfie_models::network::NetworkConfig;
use selfie_models::saved::{load_weights, save_weights};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

const WEIGHTS_FILE: &str = "weights.safetensors";
const OPTIMISER_FILE: &str = "optimiser.bpk";
const STATE_FILE: &str = "checkpoint.json";
const PREFIX: &str = "step-";
const UNFINISHED: &str = "tmp-";

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

/// Writes a checkpoint and removes all but the newest ones.
pub(crate) fn save<M: Module>(
    folder: &Path,
    mut state: State,
    network: &M,
    optimiser: &ModuleOptimizer,
) -> Result<(), Error> {
    let name = format!("{PREFIX}{:08}", state.step);
    let unfinished = folder.join(format!("{UNFINISHED}{name}"));
    remove(&unfinished)?;
    std::fs::create_dir_all(&unfinished).map_err(Error::io("cannot make the folder", &unfinished))?;
    // Burn's batch norm holds its latest statistics back until they are asked for; `valid` asks.
    save_weights(&network.valid(), &unfinished.join(WEIGHTS_FILE))?;
    let path = unfinished.join(OPTIMISER_FILE);
    let reason = |error: &dyn std::fmt::Display| Error::Damaged { path: path.clone(), reason: error.to_string() };
    optimiser.to_record().save(&path).map_err(|error| reason(&error))?;
    for file in [WEIGHTS_FILE, OPTIMISER_FILE] {
        let path = unfinished.join(file);
        File::open(&path).and_then(|file| file.sync_all()).map_err(Error::io("cannot write", &path))?;
        state.files.insert(file.to_owned(), digest::of_file(&path)?);
    }
    let keep = state.recipe.keep_checkpoints;
    write_json(&unfinished.join(STATE_FILE), &state)?;
    let finished = folder.join(&name);
    remove(&finished)?;
    std::fs::rename(&unfinished, &finished).map_err(Error::io("cannot rename to", &finished))?;
    File::open(folder).and_then(|file| file.sync_all()).map_err(Error::io("cannot write", folder))?;
    let whole = list(folder)?;
    for old in &whole[..whole.len().saturating_sub(keep)] {
        remove(old)?;
    }
    Ok(())
}

/// The newest checkpoint of a folder, if there is one.
pub(crate) fn latest(folder: &Path) -> Result<Option<PathBuf>, Error> {
    Ok(list(folder)?.pop())
}

/// Reads where a run stood and checks that it is the run that `expected` describes.
pub(crate) fn read(path: &Path, expected: &State) -> Result<State, Error> {
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
        .filter(|(key, ..)| !Recipe::FREE_ON_RESUME.contains(&key.as_str()))
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

/// Gives a network and its optimiser the state of a checkpoint.
pub(crate) fn load<M: Module>(path: &Path, state: &State, network: M) -> Result<(M, ModuleOptimizer), Error> {
    let network = number_by_place(load_weights(network, &path.join(WEIGHTS_FILE))?);
    let file = path.join(OPTIMISER_FILE);
    let record = OptimizerRecord::load(&file)
        .map_err(|error| Error::Damaged { path: file.clone(), reason: error.to_string() })?;
    let Recipe { momentum, weight_decay, .. } = state.recipe;
    let optimiser = optimiser::new(&network, momentum, weight_decay).load_record(record);
    Ok((network, optimiser))
}

/// Whole checkpoints, oldest first.
fn list(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).map_err(Error::io("cannot read the folder", folder))?;
    let mut found: Vec<(u64, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let step = entry.file_name().to_str()?.strip_prefix(PREFIX)?.parse().ok()?;
            Some((step, entry.path()))
        })
        .collect();
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

fn remove(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("cannot remove the folder", folder)(error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
