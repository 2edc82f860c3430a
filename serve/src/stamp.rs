//! Which model made a file of vectors.

use crate::Model;
use crate::model_file::ModelFile;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// Keys of a stamp in the metadata of a Parquet file.
const NAME: &str = "selfie.model";
const VERSION: &str = "selfie.model_version";
const SHA256: &str = "selfie.model_sha256";

/// The model that made a file of vectors. What counts is the digest of the ONNX file; name and version are for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Name of the model: its folder in a store, or the name in its card.
    pub name: String,
    /// Version in the store, if it lies in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// SHA-256 of the ONNX file in hexadecimal.
    pub sha256: String,
}

impl Stamp {
    /// The stamp of a loaded model.
    pub fn of(model: &Model) -> Self {
        let ModelFile { path, card, sha256, .. } = &model.file;
        // <store>/<name>/<version>/model.onnx
        let above = |levels: usize| {
            path.ancestors().nth(levels).and_then(|folder| folder.file_name()).and_then(|name| name.to_str())
        };
        let version = above(1).and_then(|version| version.parse().ok());
        let folder = above(2).filter(|_| version.is_some());
        Self { name: folder.unwrap_or(&card.name).to_owned(), version, sha256: sha256.clone() }
    }

    /// The stamp as pairs for the metadata of a Parquet file.
    pub(crate) fn pairs(&self) -> Vec<(&'static str, String)> {
        let version = self.version.map(|version| (VERSION, version.to_string()));
        [(NAME, self.name.clone())].into_iter().chain(version).chain([(SHA256, self.sha256.clone())]).collect()
    }

    /// The stamp in the metadata of a Parquet file, if it has one.
    pub(crate) fn from_pairs(pairs: &BTreeMap<String, String>) -> Option<Self> {
        let version = pairs.get(VERSION).and_then(|version| version.parse().ok());
        Some(Self { name: pairs.get(NAME)?.clone(), version, sha256: pairs.get(SHA256)?.clone() })
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.name)?;
        if let Some(version) = self.version {
            write!(formatter, " version {version}")?;
        }
        write!(formatter, " (SHA-256 {}...)", self.sha256.get(..12).unwrap_or(&self.sha256))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_survives_the_metadata() {
        for version in [Some(3), None] {
            let stamp = Stamp { name: "m".into(), version, sha256: "0123456789abcdef".into() };
            let pairs = stamp.pairs().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            assert_eq!(Stamp::from_pairs(&pairs), Some(stamp));
        }
        assert_eq!(Stamp::from_pairs(&BTreeMap::new()), None);
    }
}
