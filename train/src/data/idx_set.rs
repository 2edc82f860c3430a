//! The four IDX files of a labelled data set.

use super::catalog::Catalog;
use super::decode::Shape;
use super::idx::{Images, decode_labels};
use super::sample::{Origin, Sample};
use super::store::Store;
use super::{DataError, contents};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The names of the four files, without `.gz`: images and labels for training, images and labels for testing.
pub const FILES: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

/// SHA-256 of the unpacked content of the four files, in the order of [`FILES`].
pub type Pins = [&'static str; 4];

/// One file: the name that errors show, and its unpacked content.
pub(crate) struct Content {
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Images and labels of one split, equally many.
#[derive(Debug, Clone)]
pub struct IdxSplit {
    /// The images.
    pub images: Images,
    /// One label an image.
    pub labels: Vec<u8>,
    /// The file of the labels, for errors.
    pub labels_file: String,
}

/// Both splits, with images of one size.
#[derive(Debug, Clone)]
pub struct IdxSet {
    /// For training.
    pub train: IdxSplit,
    /// For testing.
    pub test: IdxSplit,
}

impl IdxSet {
    /// Reads the four files of a folder, plain or gzip.
    /// # Errors
    /// A file is missing, damaged, or does not fit the others.
    pub fn read(folder: &Path) -> Result<Self, DataError> {
        let files = locate(folder).map_err(|lack| DataError::Missing {
            name: folder.display().to_string(),
            searched: vec![lack],
            how: format!("The folder must hold {}, each plain or with .gz.", FILES.join(", ")),
        })?;
        Self::read_files(&files, None)
    }

    pub(crate) fn read_files(files: &[PathBuf; 4], pins: Option<&Pins>) -> Result<Self, DataError> {
        let content = |index: usize| -> Result<Content, DataError> {
            Ok(Content { name: files[index].display().to_string(), bytes: contents::read(&files[index])? })
        };
        Self::decode([content(0)?, content(1)?, content(2)?, content(3)?], pins)
    }

    pub(crate) fn decode(files: [Content; 4], pins: Option<&Pins>) -> Result<Self, DataError> {
        for (file, pin) in files.iter().zip(pins.into_iter().flatten()) {
            contents::verify(&file.name, &file.bytes, pin)?;
        }
        let [train_images, train_labels, test_images, test_labels] = files;
        let test_file = test_images.name.clone();
        let train = split(train_images, train_labels)?;
        let test = split(test_images, test_labels)?;
        let expected = (train.images.rows, train.images.columns);
        let found = (test.images.rows, test.images.columns);
        if expected != found {
            return Err(DataError::Shape { file: test_file, expected, found });
        }
        Ok(Self { train, test })
    }

    /// The images as grey samples.
    pub(crate) fn catalog(self, name: &str, labels: Vec<String>) -> Catalog {
        let [train, test] = [self.train, self.test].map(samples);
        Catalog { train, test, ..Catalog::new(name.to_owned(), labels) }
    }
}

fn samples(split: IdxSplit) -> Vec<Sample> {
    let Images { rows: height, columns: width, pixels, .. } = split.images;
    let shape = Shape { height, width, channels: 1 };
    let (store, file) = (Arc::new(Store::Memory(pixels)), Arc::<str>::from(split.labels_file));
    let sample = |(index, label): (usize, u8)| {
        let offset = (index * shape.len()) as u64;
        let origin = Origin::Pixels { store: store.clone(), offset, shape, index };
        Sample { file: file.clone(), origin, label: label.into() }
    };
    split.labels.into_iter().enumerate().map(sample).collect()
}

/// The four files of a folder, or one line that says what it lacks.
pub(crate) fn locate(folder: &Path) -> Result<[PathBuf; 4], String> {
    if !folder.is_dir() {
        return Err(format!("{}: no such folder", folder.display()));
    }
    let find =
        |name: &str| [folder.join(name), folder.join(format!("{name}.gz"))].into_iter().find(|path| path.is_file());
    match FILES.map(find) {
        [Some(a), Some(b), Some(c), Some(d)] => Ok([a, b, c, d]),
        found => {
            let lacks: Vec<String> = (FILES.iter().zip(&found))
                .filter(|(_, path)| path.is_none())
                .map(|(name, _)| format!("{name}[.gz]"))
                .collect();
            Err(format!("{}: lacks {}", folder.display(), lacks.join(", ")))
        }
    }
}

fn split(images: Content, labels: Content) -> Result<IdxSplit, DataError> {
    let decoded = Images::decode(&images.name, images.bytes)?;
    let values = decode_labels(&labels.name, labels.bytes)?;
    if decoded.count != values.len() {
        return Err(DataError::Counts {
            images_file: images.name,
            images: decoded.count,
            labels_file: labels.name,
            labels: values.len(),
        });
    }
    Ok(IdxSplit { images: decoded, labels: values, labels_file: labels.name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::idx::encode_labels;
    use std::fs;

    fn images(count: usize, rows: usize, columns: usize) -> Vec<u8> {
        Images { count, rows, columns, pixels: vec![3; count * rows * columns] }.encode()
    }

    fn decode(contents: [Vec<u8>; 4], pins: Option<&Pins>) -> Result<IdxSet, DataError> {
        let mut names = FILES.iter();
        IdxSet::decode(contents.map(|bytes| Content { name: names.next().unwrap().to_string(), bytes }), pins)
    }

    #[test]
    fn files_that_do_not_fit_are_refused() {
        let labels = |count: usize| encode_labels(&vec![0; count]);
        let good = || [images(4, 2, 3), labels(4), images(2, 2, 3), labels(2)];
        assert!(decode(good(), None).is_ok());
        let spoilt = |index: usize, content: Vec<u8>| {
            let mut files = good();
            files[index] = content;
            decode(files, None)
        };
        const PINS: Pins = ["00"; 4];
        let cases = [
            ("labels", spoilt(1, labels(5)), "train-images-idx3-ubyte has 4 images, but train-labels-idx1-ubyte has 5"),
            ("test labels", spoilt(3, labels(1)), "has 2 images, but t10k-labels-idx1-ubyte has 1 labels"),
            (
                "shape",
                spoilt(2, images(2, 3, 2)),
                "t10k-images-idx3-ubyte has images of 3x2 pixels, but the training images have 2x3",
            ),
            ("swapped", spoilt(0, labels(4)), "train-images-idx3-ubyte is not an IDX file of images"),
            ("pins", decode(good(), Some(&PINS)), "train-images-idx3-ubyte is damaged: SHA-256"),
        ];
        for (case, result, part) in cases {
            let message = result.map(|_| ()).unwrap_err().to_string();
            assert!(message.contains(part), "{case}: {message:?}");
        }
    }

    #[test]
    fn a_folder_may_mix_plain_and_packed_files_and_says_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        assert!(locate(&folder.path().join("nowhere")).unwrap_err().contains("no such folder"));
        for name in [FILES[0], FILES[2], "t10k-labels-idx1-ubyte.gz"] {
            fs::write(folder.path().join(name), b"x").unwrap();
        }
        let message = IdxSet::read(folder.path()).map(|_| ()).unwrap_err().to_string();
        assert!(message.contains("lacks train-labels-idx1-ubyte[.gz]\n"), "{message}");
        fs::write(folder.path().join("train-labels-idx1-ubyte"), b"x").unwrap();
        let files = locate(folder.path()).unwrap();
        assert_eq!(files[3], folder.path().join("t10k-labels-idx1-ubyte.gz"));
    }
}
