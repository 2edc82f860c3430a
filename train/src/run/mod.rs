//! The run folder: everything that a run leaves behind.
//!
//! | file | what it holds |
//! |---|---|
//! | `recipe.toml` | the recipe, defaults and settings resolved |
//! | `run.json` | where, when and with what it ran, and the final metrics: [`RunRecord`] |
//! | `metrics.jsonl` | one line of numbers every few steps: [`metrics::Line`] |
//! | `curves.svg` | the learning curves |
//! | `report.html` | everything about the run on one page, when it is finished: [`crate::report`] |
//! | `events.out.tfevents.…` | the metrics for TensorBoard, where the recipe asks for them |
//! | `labels.json` | fine-tuning: which training images were used with their labels: [`Labels`] |
//! | `checkpoints/step-…` | what `--resume` goes on from |
//! | `ema/` | where the weights are averaged: a network of its own, from the average |
//! | `network.json`, `weights.safetensors`, `card.json` | the trained network, when the run is finished |

pub mod metrics;
mod record;

pub(crate) use record::unix_seconds;
pub use record::{ChangeRecord, InitRecord, Labels, RunRecord, source_revision};

use crate::{Error, Recipe};
use selfie_models::saved::write_atomically;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

const LOCK_FILE: &str = ".lock";
/// Name of the file that holds the resolved recipe.
pub const RECIPE_FILE: &str = "recipe.toml";
/// Name of the file that holds the [`RunRecord`].
pub const RUN_FILE: &str = "run.json";
/// Name of the file that holds the [`metrics::Line`]s.
pub const METRICS_FILE: &str = "metrics.jsonl";
/// Name of the file that shows the learning curves.
pub const CURVES_FILE: &str = "curves.svg";
/// Name of the page about the run.
pub const REPORT_FILE: &str = "report.html";
/// Name of the file that holds the [`Labels`].
pub const LABELS_FILE: &str = "labels.json";
/// Name of the folder that holds the network with averaged weights.
pub const AVERAGE_FOLDER: &str = "ema";
/// Name of the folder of checkpoints.
pub const CHECKPOINTS_FOLDER: &str = "checkpoints";

/// A run folder that this process alone writes to.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    _lock: File,
}

impl RunFolder {
    /// Makes and locks a run folder. Only a resumed run may find something in it.
    pub(crate) fn open(path: &Path, resume: bool) -> Result<Self, Error> {
        let wrong = |reason: &str| Err(Error::Run { path: path.to_owned(), reason: reason.into() });
        std::fs::create_dir_all(path).map_err(Error::io("cannot make the folder", path))?;
        let entries = std::fs::read_dir(path).map_err(Error::io("cannot read the folder", path))?;
        let occupied = entries.filter_map(Result::ok).any(|entry| entry.file_name() != LOCK_FILE);
        if occupied && !resume {
            return wrong("it is not empty; add --resume to go on with that run, or name another folder");
        }
        let lock_path = path.join(LOCK_FILE);
        let lock = File::create(&lock_path).map_err(Error::io("cannot write", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => wrong("another process is training in it"),
            Err(TryLockError::Error(source)) => Err(Error::io("cannot lock", &lock_path)(source)),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The resolved recipe of an earlier start, if there was one.
    pub(crate) fn recipe(&self) -> Result<Option<Recipe>, Error> {
        let path = self.file(RECIPE_FILE);
        path.exists().then(|| Recipe::read(&path)).transpose()
    }

    pub(crate) fn write_json<T: Serialize>(&self, name: &str, value: &T) -> Result<(), Error> {
        write_json(&self.file(name), value)
    }
}

/// Reads the recipe that a run folder was made with.
///
/// # Errors
/// [`Error::Recipe`] or [`Error::Io`] names the file.
pub fn recipe_of(folder: &Path) -> Result<Recipe, Error> {
    Recipe::read(&folder.join(RECIPE_FILE))
}

pub(crate) fn write_recipe(folder: &Path, recipe: &Recipe) -> Result<(), Error> {
    Ok(write_atomically(&folder.join(RECIPE_FILE), recipe.to_toml()?.as_bytes())?)
}

pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = std::fs::read_to_string(path).map_err(Error::io("cannot read", path))?;
    serde_json::from_str(&text).map_err(|error| Error::Damaged { path: path.to_owned(), reason: error.to_string() })
}

pub(crate) fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Error::Damaged { path: path.to_owned(), reason: error.to_string() })?;
    Ok(write_atomically(path, text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_occupied_folder_needs_resume_and_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("metrics.jsonl"), "{}").unwrap();
        let message = RunFolder::open(folder.path(), false).unwrap_err().to_string();
        assert!(message.contains("--resume"), "{message}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert!(RunFolder::open(folder.path(), true).is_ok());
    }

    #[test]
    fn two_runs_do_not_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let first = RunFolder::open(folder.path(), false).unwrap();
        let message = RunFolder::open(folder.path(), true).unwrap_err().to_string();
        assert!(message.contains("another process"), "{message}");
        drop(first);
        // A process that another test starts has a copy of the lock until it becomes its program.
        let is_free = |_| {
            std::thread::sleep(std::time::Duration::from_millis(1));
            RunFolder::open(folder.path(), false).is_ok()
        };
        assert!((0..60_000).any(is_free));
    }
}
