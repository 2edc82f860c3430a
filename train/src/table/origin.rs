//! What the numbers of a table were made with.

use super::cell::CellRecord;
use super::plan::Plan;
use crate::Error;
use crate::run::{RUN_FILE, RunRecord, read_json, source_revision};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A device and a build of this crate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The device.
    pub device: String,
    /// Version of this crate.
    pub crate_version: String,
    /// Revision of this crate's source.
    pub source_revision: String,
}

/// An origin, and how much of a table is from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OriginReport {
    /// What it is.
    #[serde(flatten)]
    pub origin: Origin,
    /// Trainings and measurements that were finished with it.
    pub count: usize,
}

impl Origin {
    /// This program on a device.
    pub(crate) fn of_this(device: &str) -> Self {
        Self {
            device: device.to_owned(),
            crate_version: env!("CARGO_PKG_VERSION").into(),
            source_revision: source_revision().into(),
        }
    }
}

/// The origins of everything that is finished in a table's folder, in their own order.
pub(crate) fn origins(plan: &Plan<'_>, table: &Path) -> Result<Vec<OriginReport>, Error> {
    let mut counts: BTreeMap<Origin, usize> = BTreeMap::new();
    let mut runs: BTreeSet<PathBuf> = BTreeSet::new();
    for cell in plan.cells() {
        runs.extend([plan.pretraining(cell).out, table.join(cell.folder())]);
        // A measurement without training has no record of a run.
        if let Some(origin) = CellRecord::read(table, cell)?.and_then(|record| record.origin) {
            *counts.entry(origin).or_default() += 1;
        }
    }
    for path in runs.into_iter().map(|run| run.join(RUN_FILE)).filter(|path| path.exists()) {
        let RunRecord { device, crate_version, source_revision, finished_unix_s, .. } = read_json(&path)?;
        if finished_unix_s.is_some() {
            *counts.entry(Origin { device, crate_version, source_revision }).or_default() += 1;
        }
    }
    Ok(counts.into_iter().map(|(origin, count)| OriginReport { origin, count }).collect())
}
