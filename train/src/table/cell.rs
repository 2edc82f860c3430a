//! What a cell leaves in its folder: `cell.json`.

use super::origin::Origin;
use super::plan::Cell;
use super::row::Row;
use crate::Error;
use crate::run::{read_json, write_json};
use selfie_models::network::NetworkConfig;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

const CELL_FILE: &str = "cell.json";

/// The numbers of a cell, and what they are the numbers of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CellRecord {
    pub(crate) subject: Subject,
    /// Numbers by name.
    pub(crate) metrics: BTreeMap<String, f64>,
    /// What measured them, where no run of its own tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) origin: Option<Origin>,
}

/// What numbers are the numbers of: when anything in it differs they are measured again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Subject {
    pub(crate) row: Row,
    pub(crate) labels: f64,
    pub(crate) seed: u64,
    pub(crate) data_sha256: String,
    pub(crate) network: NetworkConfig,
    /// None of a network before any training.
    pub(crate) weights_sha256: Option<String>,
    /// Batches that estimated its batch-norm statistics anew; 0 of a network as it was.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) norm_batches: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl CellRecord {
    /// Reads what a cell has left under the folder of a table, if anything.
    pub(crate) fn read(table: &Path, cell: Cell<'_>) -> Result<Option<Self>, Error> {
        let path = table.join(cell.folder()).join(CELL_FILE);
        path.exists().then(|| read_json(&path)).transpose()
    }

    /// Writes it under the folder of a table.
    pub(crate) fn write(&self, table: &Path, cell: Cell<'_>) -> Result<(), Error> {
        let folder = table.join(cell.folder());
        std::fs::create_dir_all(&folder).map_err(Error::io("cannot make the folder", &folder))?;
        write_json(&folder.join(CELL_FILE), self)
    }
}
