//! The table entry of a data set, and specs: `NAME` or `NAME:ARGUMENT`.

use super::catalog::{Catalog, check_classes};
use super::reading::Reading;
use super::roots::Roots;
use super::{DataError, Dataset, SOURCES, read};
use serde::Serialize;
use std::fmt;
use std::path::PathBuf;

/// A data set that a spec can name.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// The part of the spec before the colon.
    pub name: &'static str,
    /// What the part after the colon means, where the source takes one.
    pub argument: Option<&'static str>,
    /// One line about the content.
    pub description: &'static str,
    /// Training and test images, where known.
    pub images: Option<(usize, usize)>,
    /// Classes, where known.
    pub classes: Option<usize>,
    /// The licence of the images.
    pub licence: &'static str,
    /// Whether the checksums of the files are known and checked.
    pub pinned: bool,
    /// Looks for the files.
    pub(crate) place: fn(&Roots) -> Place,
    /// Finds the images; the argument is empty where the source takes none.
    pub(crate) catalog: fn(&str, &Roots, &Reading) -> Result<Catalog, DataError>,
    /// Brings the files into the cache folder.
    pub(crate) fetch: Option<Fetch>,
}

/// Brings files into the cache folder and says where they lie; the function gets one line a stage.
pub(crate) type Fetch = fn(&Roots, &dyn Fn(&str)) -> Result<PathBuf, DataError>;

/// Where a data set is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In this program.
    Bundled,
    /// In this folder.
    Folder(PathBuf),
    /// In the folder or file that the spec names.
    Argument,
    /// Nowhere; the text says how to get it.
    Missing(String),
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bundled => formatter.write_str("bundled"),
            Self::Folder(folder) => write!(formatter, "{}", folder.display()),
            Self::Argument => formatter.write_str("what the spec names"),
            Self::Missing(how) => write!(formatter, "not here. {how}"),
        }
    }
}

/// One line of the table of data sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// What to write as the spec.
    pub spec: String,
    /// One line about the content.
    pub description: &'static str,
    /// Training and test images, where known.
    pub images: Option<(usize, usize)>,
    /// Classes, where known.
    pub classes: Option<usize>,
    /// The licence of the images.
    pub licence: &'static str,
    /// Where it is, or how to get it.
    pub place: Place,
}

impl Source {
    /// The spec as help shows it, for example `idx:FOLDER`.
    #[must_use]
    pub fn spec(&self) -> String {
        self.argument.map_or_else(|| self.name.to_owned(), |argument| format!("{}:{argument}", self.name))
    }

    /// The source that a spec names, and the argument of the spec.
    pub(crate) fn find(spec: &str) -> Result<(&'static Self, &str), DataError> {
        let (name, argument) = spec.split_once(':').map_or((spec, None), |(name, rest)| (name, Some(rest)));
        let source = SOURCES.iter().find(|source| source.name == name).ok_or_else(|| unknown(spec, name))?;
        match (source.argument, argument) {
            (None, None) => Ok((source, "")),
            (Some(_), Some(argument)) if !argument.is_empty() => Ok((source, argument)),
            _ => Err(DataError::Spec { spec: spec.to_owned(), expected: source.spec() }),
        }
    }
}

/// Opens the data set of a spec, for example `fashion-mnist-sample` or `idx:FOLDER`.
/// # Errors
/// The spec is wrong, or files are missing, damaged or do not fit together.
pub fn open(spec: &str) -> Result<Dataset, DataError> {
    open_with(spec, &Reading::default())
}

/// Opens the data set of a spec, with images of the size and the channels that are asked for.
/// # Errors
/// As [`open`].
pub fn open_with(spec: &str, reading: &Reading) -> Result<Dataset, DataError> {
    read::dataset(catalog(spec, reading)?, reading)
}

/// Whether the images of a spec have labels that a classifier can be trained on, found without decoding them.
/// # Errors
/// As [`open_with`], less what only decoding finds, and a class that has no training image.
pub fn is_labelled(spec: &str, reading: &Reading) -> Result<bool, DataError> {
    let catalog = catalog(spec, reading)?.settle(reading)?;
    if catalog.labels.is_empty() {
        return Ok(false);
    }
    check_classes(&catalog.name, &catalog.labels, catalog.train.iter().map(|sample| sample.label as usize))?;
    Ok(true)
}

/// Finds the images of a spec without decoding them.
pub(crate) fn catalog(spec: &str, reading: &Reading) -> Result<Catalog, DataError> {
    let (source, argument) = Source::find(spec)?;
    (source.catalog)(argument, &Roots::from_environment(), reading)
}

/// All data sets, and where they are.
#[must_use]
pub fn list() -> Vec<Listing> {
    let roots = Roots::from_environment();
    let line = |source: &Source| Listing {
        spec: source.spec(),
        description: source.description,
        images: source.images,
        classes: source.classes,
        licence: source.licence,
        place: (source.place)(&roots),
    };
    SOURCES.iter().map(line).collect()
}

fn unknown(spec: &str, name: &str) -> DataError {
    let near = |source: &&Source| strsim::damerau_levenshtein(source.name, name);
    let hint = SOURCES.iter().min_by_key(near).filter(|source| near(source) <= 1 + name.len() / 4);
    DataError::UnknownSource {
        spec: spec.to_owned(),
        hint: hint.map(Source::spec),
        known: SOURCES.iter().map(Source::spec).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_specs_say_what_is_right() {
        let known = "known: fashion-mnist-sample, fashion-mnist, idx:FOLDER, images:FOLDER, folder:FOLDER";
        let cases: [(&str, &[&str]); 8] = [
            ("fashion-mnits", &["\"fashion-mnits\"", "did you mean \"fashion-mnist\"?", known]),
            ("fashion-mnist-samples", &["did you mean \"fashion-mnist-sample\"?"]),
            ("", &["unknown data set \"\"", known]),
            ("cifar", &["unknown data set \"cifar\"; known: fashion-mnist-sample"]),
            ("idx", &["\"idx\" must read \"idx:FOLDER\""]),
            ("idx:", &["\"idx:\" must read \"idx:FOLDER\""]),
            ("fashion-mnist:x", &["\"fashion-mnist:x\" must read \"fashion-mnist\""]),
            ("idx:/nowhere/at/all", &["/nowhere/at/all: no such folder", "train-labels-idx1-ubyte"]),
        ];
        for (spec, parts) in cases {
            let message = open(spec).map(|_| ()).unwrap_err().to_string();
            for part in parts {
                assert!(message.contains(part), "{spec:?}: {message:?} lacks {part:?}");
            }
        }
    }

    #[test]
    fn the_listing_has_every_source_once_and_its_specs_are_found() {
        let listing = list();
        assert_eq!(listing.len(), SOURCES.len());
        for (line, source) in listing.iter().zip(SOURCES) {
            assert_eq!(Source::find(&line.spec).unwrap().0.name, source.name);
            assert_eq!(SOURCES.iter().filter(|other| other.name == source.name).count(), 1, "{}", source.name);
        }
        assert_eq!(listing[0].place, Place::Bundled);
    }
}
