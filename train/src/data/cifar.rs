//! The files of CIFAR-10 and CIFAR-100, as Python pickles or as bare binary records.
//!
//! # Source
//! A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
//! <https://www.cs.toronto.edu/~kriz/cifar.html>.

use super::catalog::Catalog;
use super::decode::Shape;
use super::image_files::check_folder;
use super::pickle::Pickle;
use super::sample::{Origin, Sample};
use super::store::Store;
use super::{DataError, contents};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SHAPE: Shape = Shape { height: 32, width: 32, channels: 3 };
const PIXELS: usize = 3 * 32 * 32;

/// What tells CIFAR-10 and CIFAR-100 apart.
pub(crate) struct Variant {
    pub name: &'static str,
    pub python: Packing,
    pub binary: Packing,
    /// Key of the labels in a pickle.
    pub labels_key: &'static str,
    /// Key of the class names in the pickle of names.
    pub names_key: &'static str,
    /// Bytes in front of the pixels of a binary record; the last one is the label.
    pub label_bytes: usize,
}

/// One way in which the files are published.
pub(crate) struct Packing {
    pub archive: &'static str,
    /// Published MD5 of the archive.
    pub md5: &'static str,
    /// The folder inside of the archive.
    pub folder: &'static str,
    pub train: &'static [&'static str],
    pub test: &'static str,
    /// The file of class names.
    pub names: &'static str,
}

/// Finds the images in a folder: the one that the archive unpacks to, or the one that holds it.
pub(crate) fn catalog(variant: &Variant, argument: &str) -> Result<Catalog, DataError> {
    let root = Path::new(argument);
    check_folder(root)?;
    for packing in [&variant.python, &variant.binary] {
        verify_archive(root, packing)?;
    }
    let mut catalog = Catalog::new(format!("{}:{argument}", variant.name), Vec::new());
    for folder in [root.join(variant.python.folder), root.to_owned()] {
        if let Some((train, test, names)) = locate(&folder, &variant.python) {
            catalog.labels = Pickle::read(&names)?.names(variant.names_key)?;
            for path in train {
                catalog.train.extend(from_pickle(variant, &path)?);
            }
            catalog.test = from_pickle(variant, &test)?;
            return Ok(catalog);
        }
    }
    for folder in [root.join(variant.binary.folder), root.to_owned()] {
        if let Some((train, test, names)) = locate(&folder, &variant.binary) {
            let text = fs::read_to_string(&names).map_err(DataError::io("read", &names))?;
            catalog.labels = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
            for path in train {
                catalog.train.extend(from_records(variant, &path)?);
            }
            catalog.test = from_records(variant, &test)?;
            return Ok(catalog);
        }
    }
    Err(missing(variant, root))
}

/// Training files, test file and file of names, where all are in a folder.
fn locate(folder: &Path, packing: &Packing) -> Option<(Vec<PathBuf>, PathBuf, PathBuf)> {
    let find = |name: &str| Some(folder.join(name)).filter(|path| path.is_file());
    let train = packing.train.iter().map(|name| find(name)).collect::<Option<_>>()?;
    Some((train, find(packing.test)?, find(packing.names)?))
}

fn missing(variant: &Variant, root: &Path) -> DataError {
    let lacks = |packing: &Packing| {
        let files = packing.train.iter().chain([&packing.test, &packing.names]);
        let folder = if root.join(packing.folder).is_dir() { root.join(packing.folder) } else { root.to_owned() };
        let lacking: Vec<&str> = files.copied().filter(|name| !folder.join(name).is_file()).collect();
        format!("{}: lacks {}", folder.display(), lacking.join(", "))
    };
    let archives = [variant.python.archive, variant.binary.archive];
    let how = match archives.iter().find(|archive| root.join(archive).is_file()) {
        Some(archive) => format!("Unpack it with `tar -xzf {archive}`."),
        None => format!("Unpack {} of https://www.cs.toronto.edu/~kriz/cifar.html there.", archives.join(" or ")),
    };
    let searched = [&variant.python, &variant.binary].map(lacks).to_vec();
    DataError::Missing { name: format!("{}:{}", variant.name, root.display()), searched, how }
}

/// An archive that lies beside the files tells whether the download was whole.
fn verify_archive(root: &Path, packing: &Packing) -> Result<(), DataError> {
    let path = root.join(packing.archive);
    if !path.is_file() {
        return Ok(());
    }
    let found = contents::md5_of_file(&path)?;
    match found == packing.md5 {
        true => Ok(()),
        false => Err(DataError::Md5 { file: path.display().to_string(), expected: packing.md5.to_owned(), found }),
    }
}

fn from_pickle(variant: &Variant, path: &Path) -> Result<Vec<Sample>, DataError> {
    let mut batch = Pickle::read(path)?;
    let (data, labels) = (batch.array("data")?, batch.integers(variant.labels_key)?);
    let problem = |problem: String| DataError::Format { file: path.display().to_string(), problem };
    match data.byte_rows().map_err(problem)? {
        (rows, PIXELS) if rows == labels.len() => Ok(samples(path, data.bytes, 0, &labels)),
        (rows, len) => Err(problem(format!(
            "it has {rows} images of {len} bytes and {} labels; images have {PIXELS}",
            labels.len()
        ))),
    }
}

fn from_records(variant: &Variant, path: &Path) -> Result<Vec<Sample>, DataError> {
    let bytes = fs::read(path).map_err(DataError::io("read", path))?;
    let record = variant.label_bytes + PIXELS;
    if bytes.is_empty() || !bytes.len().is_multiple_of(record) {
        let file = path.display().to_string();
        let problem = format!("{} bytes are no whole number of records of {record}; it is cut off", bytes.len());
        return Err(DataError::Format { file, problem });
    }
    let labels: Vec<i64> = bytes.chunks_exact(record).map(|record| record[variant.label_bytes - 1].into()).collect();
    Ok(samples(path, bytes, variant.label_bytes, &labels))
}

/// Images in a row, `gap` bytes in front of each.
fn samples(path: &Path, bytes: Vec<u8>, gap: usize, labels: &[i64]) -> Vec<Sample> {
    let (store, file) = (Arc::new(Store::Memory(bytes)), Arc::<str>::from(path.display().to_string()));
    let sample = |(index, &label): (usize, &i64)| {
        let offset = (index * (gap + PIXELS) + gap) as u64;
        Sample {
            file: file.clone(),
            origin: Origin::Pixels { store: store.clone(), offset, shape: SHAPE, index },
            label,
        }
    };
    labels.iter().enumerate().map(sample).collect()
}
