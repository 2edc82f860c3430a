//! Opening a gallery: Parquet, or a `.npy` matrix with its `.ids.json`.

use super::vectors::Vectors;
use super::{Gallery, THUMBNAIL};
use crate::Error;
use crate::columns::Columns;
use crate::offline::{Ids, ids_path};
use crate::stamp::Stamp;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

/// What a file says about its vectors.
struct Contents {
    vectors: Vectors,
    ids: Vec<String>,
    labels: Vec<Option<String>>,
    stamp: Option<Stamp>,
    thumbnails: Option<(Columns, usize)>,
}

impl Gallery {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Gallery`] when it is no gallery, [`Error::Io`] or [`Error::Input`] when it cannot be read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Gallery { path: path.to_owned(), reason };
        let contents = match path.extension().and_then(|extension| extension.to_str()) {
            Some("parquet") => parquet(path)?,
            Some("npy") => npy(path)?,
            _ => return Err(wrong("is no gallery; `selfie embed` writes one as .parquet or .npy".into())),
        };
        let Contents { vectors, ids, labels, stamp, thumbnails } = contents;
        if vectors.rows() == 0 {
            return Err(wrong("holds no vector".into()));
        }
        if ids.len() != vectors.rows() || !(labels.is_empty() || labels.len() == ids.len()) {
            let (rows, ids, labels) = (vectors.rows(), ids.len(), labels.len());
            return Err(wrong(format!("holds {rows} vectors with {ids} ids and {labels} labels")));
        }
        let lengths = vectors.lengths();
        if let Some(row) = lengths.iter().position(|length| !length.is_finite()) {
            return Err(wrong(format!("vector {row} (\"{}\") holds a number that is not finite", ids[row])));
        }
        let classes: Vec<String> = labels.iter().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        let class = |label: Option<String>| label.and_then(|label| classes.binary_search(&label).ok());
        let mut labels: Vec<Option<usize>> = labels.into_iter().map(class).collect();
        labels.resize(ids.len(), None);
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let thumbnails = thumbnails.map(|(columns, column)| (Mutex::new(columns), column));
        Ok(Self { name, ids, stamp, vectors, lengths, labels, classes, thumbnails, map: OnceLock::new() })
    }
}

fn parquet(path: &Path) -> Result<Contents, Error> {
    let columns = Columns::open(path)?;
    let need = |name: &str| {
        columns.find(name).ok_or_else(|| Error::Gallery {
            path: path.to_owned(),
            reason: format!("has no column \"{name}\", but {}", columns.names()),
        })
    };
    let floats = columns.floats(need("vector")?)?;
    let ids = columns.texts(need("id")?)?.into_iter().map(Option::unwrap_or_default).collect();
    let labels = columns.find("label").map_or(Ok(Vec::new()), |column| columns.texts(column))?;
    let stamp = Stamp::from_pairs(&columns.metadata());
    let thumbnails = columns.find(THUMBNAIL).map(|column| (columns, column));
    Ok(Contents { vectors: Vectors::held(floats), ids, labels, stamp, thumbnails })
}

fn npy(path: &Path) -> Result<Contents, Error> {
    let vectors = Vectors::map(path)?;
    let beside = ids_path(path);
    let text = fs::read(&beside).map_err(|source| Error::Io { action: "read", path: beside.clone(), source })?;
    let Ids { model, ids, labels } = serde_json::from_slice(&text).map_err(|error| Error::Gallery {
        path: beside,
        reason: format!("is not {{\"ids\": [..], \"labels\": [..]}}: {error}"),
    })?;
    Ok(Contents { vectors, ids, labels, stamp: model, thumbnails: None })
}
