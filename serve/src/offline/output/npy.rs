//! NumPy's matrix of vectors, and beside it `<name>.ids.json` with what a matrix cannot hold: ids, classes, the model.

use super::{Head, Output, io};
use crate::Error;
use crate::npy::{HEADER_BYTES, header};
use crate::offline::record::{Answer, Record};
use crate::stamp::Stamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};

/// What lies beside a matrix.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Ids {
    /// The model that made the vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Stamp>,
    /// Name of each row.
    pub ids: Vec<String>,
    /// Class of each row; none at all when no row has one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Option<String>>,
}

/// `vectors.ids.json` beside `vectors.npy`.
pub(crate) fn ids_path(npy: &Path) -> PathBuf {
    npy.with_extension("ids.json")
}

struct Npy {
    path: PathBuf,
    file: BufWriter<File>,
    width: usize,
    ids: Ids,
}

/// Opens an output.
pub fn open(path: &Path, head: &Head<'_>) -> Result<Box<dyn Output>, Error> {
    let mut file = BufWriter::new(File::create(path).map_err(io(path))?);
    // The number of rows is known at the end; until then the header says none.
    file.write_all(&header(0, head.width)).map_err(io(path))?;
    let ids = Ids { model: Some(head.stamp.clone()), ids: Vec::new(), labels: Vec::new() };
    Ok(Box::new(Npy { path: path.to_owned(), file, width: head.width, ids }))
}

impl Output for Npy {
    fn push(&mut self, record: Record) -> Result<(), Error> {
        if let Answer::Vector(vector) = record.answer {
            self.file.write_all(&vector.0).map_err(io(&self.path))?;
            self.ids.ids.push(record.id);
            self.ids.labels.push(record.label);
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<(PathBuf, PathBuf)>, Error> {
        let header = header(self.ids.ids.len(), self.width);
        debug_assert_eq!(header.len(), HEADER_BYTES);
        let mut finish = || {
            self.file.rewind()?;
            self.file.write_all(&header)?;
            self.file.flush()?;
            self.file.get_ref().sync_all()
        };
        finish().map_err(io(&self.path))?;
        if self.ids.labels.iter().all(Option::is_none) {
            self.ids.labels.clear();
        }
        // `vectors.npy.new` becomes `vectors.npy`.
        let ids = ids_path(&self.path.with_extension(""));
        let new = ids.with_extension("json.new");
        let text = serde_json::to_vec(&self.ids).map_err(|error| io(&new)(error.into()))?;
        fs::write(&new, text).map_err(io(&new))?;
        Ok(vec![(new, ids)])
    }
}
