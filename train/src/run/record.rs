//! What `run.json` and `labels.json` hold.

use crate::Stage;
use selfie_models::card::Provenance;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// Where, when and with what a run ran, and what came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Pretraining or fine-tuning.
    pub stage: Stage,
    /// Name of the recipe.
    pub recipe: String,
    /// Seed of all randomness.
    pub seed: u64,
    /// Version of this crate.
    pub crate_version: String,
    /// Revision of this crate's source.
    pub source_revision: String,
    /// The command line of the latest start.
    pub command: Vec<String>,
    /// Device of the latest start.
    pub device: String,
    /// Data set as the recipe names it.
    pub data: String,
    /// SHA-256 of the data set's pixels and labels.
    pub data_sha256: String,
    /// Damaged images that were left out.
    #[serde(default)]
    pub skipped_images: usize,
    /// What the weights started from, if anything.
    pub init: Option<InitRecord>,
    /// First start, in seconds since 1970.
    pub started_unix_s: u64,
    /// The step that the network is of, when the run is finished: the last one or the best one.
    #[serde(default)]
    pub steps: Option<u64>,
    /// The step at which the latest start diverged, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diverged_at: Option<u64>,
    /// What was changed in the recipe to go on after that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeRecord>,
    /// End, in seconds since 1970, when the run is finished.
    pub finished_unix_s: Option<u64>,
    /// Seconds of training, all starts together, when the run is finished.
    pub seconds: Option<f64>,
    /// Final metrics, when the run is finished.
    pub metrics: BTreeMap<String, f64>,
}

/// A key of the recipe that was given another value when a run had diverged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeRecord {
    /// The step at which the run had diverged; the change begins at an earlier one, that of the checkpoint before.
    pub diverged_at: u64,
    /// The key.
    pub key: String,
    /// Its value before.
    pub was: String,
    /// Its value since.
    pub now: String,
}

/// What the weights started from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitRecord {
    /// The run folder or the file, as it was named.
    pub path: PathBuf,
    /// SHA-256 of its weights.
    pub weights_sha256: String,
    /// Where its weights come from.
    pub provenance: Provenance,
}

/// Which training images fine-tuning used with their labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Part of all training labels.
    pub fraction: f64,
    /// Seed of the choice.
    pub seed: u64,
    /// Images of each class.
    pub counts: BTreeMap<String, usize>,
    /// Places in the training split, ascending.
    pub indices: Vec<usize>,
}

/// The Git revision that this crate was built from, or "unknown".
pub fn source_revision() -> &'static str {
    option_env!("SELFIE_SOURCE_REVISION").unwrap_or("unknown")
}

/// Seconds since 1970.
pub(crate) fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
