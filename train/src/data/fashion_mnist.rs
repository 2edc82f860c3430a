//! Fashion-MNIST: 28x28 grey images of clothing.
//!
//! # Source
//! H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
//! 2017, <https://github.com/zalandoresearch/fashion-mnist>.

use super::catalog::Catalog;
use super::idx_set::{IdxSet, Pins, locate};
use super::reading::Reading;
use super::roots::Roots;
use super::{DataError, Place, Source, fetch};
use std::path::{Path, PathBuf};

pub(crate) const SOURCE: Source = Source {
    name: NAME,
    argument: None,
    description: "Fashion-MNIST, 28x28 grey images of clothing",
    images: Some((60_000, 10_000)),
    classes: Some(CLASSES.len()),
    licence: LICENCE,
    pinned: true,
    place,
    catalog,
    fetch: Some(fetch_package),
};

pub(crate) const NAME: &str = "fashion-mnist";
pub(crate) const LICENCE: &str = "MIT, Copyright 2017 Zalando SE";
pub(crate) const CLASSES: [&str; 10] =
    ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];

/// SHA-256 of the unpacked files.
pub(crate) const PINS: Pins = [
    "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
];

const PACKAGE: fetch::Package = fetch::Package {
    name: "dataset-fashion-mnist",
    folder: "usr/share/datasets/fashion-mnist",
    copyright: "usr/share/doc/dataset-fashion-mnist/copyright",
    pins: &PINS,
    manual: "By hand: install the Debian package dataset-fashion-mnist, or put the four IDX files of \
             https://github.com/zalandoresearch/fashion-mnist into $SELFIE_DATA/fashion-mnist.",
};

fn place(roots: &Roots) -> Place {
    let found = roots.candidates(NAME).into_iter().find(|folder| locate(folder).is_ok());
    found.map_or_else(|| Place::Missing(how()), Place::Folder)
}

fn catalog(_: &str, roots: &Roots, _: &Reading) -> Result<Catalog, DataError> {
    let mut searched = Vec::new();
    for folder in roots.candidates(NAME) {
        match locate(&folder) {
            Ok(files) => {
                let files = IdxSet::read_files(&files, Some(&PINS))?;
                return Ok(files.catalog(NAME, CLASSES.map(str::to_owned).to_vec()));
            }
            Err(lack) => searched.push(lack),
        }
    }
    Err(DataError::Missing { name: NAME.to_owned(), searched, how: how() })
}

fn fetch_package(roots: &Roots, progress: &dyn Fn(&str)) -> Result<PathBuf, DataError> {
    if let Some(folder) = roots.candidates(NAME).into_iter().find(|folder| intact(folder)) {
        progress(&format!("{NAME} is in {} already", folder.display()));
        return Ok(folder);
    }
    fetch::package(&PACKAGE, NAME, &roots.cache()?, progress)
}

fn intact(folder: &Path) -> bool {
    locate(folder).is_ok_and(|files| IdxSet::read_files(&files, Some(&PINS)).is_ok())
}

fn how() -> String {
    format!("Get it with `selfie data fetch {NAME}`. {}", PACKAGE.manual)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::idx_set::FILES;
    use crate::data::{Dataset, read};
    use std::fs;

    fn open(roots: &Roots) -> Result<Dataset, DataError> {
        let reading = Reading::default();
        read::dataset(catalog("", roots, &reading)?, &reading)
    }

    fn full_set() -> Option<Dataset> {
        match open(&Roots::from_environment()) {
            Ok(dataset) => Some(dataset),
            Err(DataError::Missing { .. }) => {
                eprintln!("SKIPPED: the full Fashion-MNIST is not on this machine, `selfie data fetch fashion-mnist`");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn the_full_set_has_the_published_sizes_and_statistics() {
        let Some(dataset) = full_set() else { return };
        assert_eq!((dataset.train.len(), dataset.test.len()), SOURCE.images.unwrap());
        assert_eq!((dataset.native, dataset.height, dataset.width), ((28, 28), 32, 32));
        for class in 0..10 {
            assert_eq!(dataset.train.labels.iter().filter(|&&label| label == class).count(), 6000, "class {class}");
        }
        let [mean, std] = [dataset.mean[0], dataset.std[0]].map(|value| (value * 10_000.0).round());
        assert_eq!((mean, std), (2860.0, 3530.0));
    }

    #[test]
    fn a_missing_set_names_every_folder_and_the_ways_to_get_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = |name: &str| Some(folder.path().join(name));
        let roots = Roots { data: root("own"), cache: root("cache"), system: root("system") };
        fs::create_dir_all(folder.path().join("cache/fashion-mnist")).unwrap();
        fs::write(folder.path().join("cache/fashion-mnist").join(FILES[0]), b"x").unwrap();
        let message = open(&roots).map(|_| ()).unwrap_err().to_string();
        for part in [
            "own/fashion-mnist: no such folder",
            "cache/fashion-mnist: lacks train-labels-idx1-ubyte[.gz], t10k-images",
            "system/fashion-mnist: no such folder",
            "selfie data fetch fashion-mnist",
            "SELFIE_DATA",
        ] {
            assert!(message.contains(part), "{message} lacks {part:?}");
        }
        assert!(matches!(place(&roots), Place::Missing(how) if how.contains("selfie data fetch")));
    }

    #[test]
    fn a_damaged_file_is_named_with_both_checksums() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join(NAME);
        fs::create_dir_all(&own).unwrap();
        for name in FILES {
            fs::write(own.join(name), b"damaged").unwrap();
        }
        let roots = Roots { data: Some(folder.path().to_owned()), ..Roots::default() };
        let message = open(&roots).map(|_| ()).unwrap_err().to_string();
        for part in [FILES[0], PINS[0], &crate::data::contents::sha256(b"damaged")] {
            assert!(message.contains(part), "{message} lacks {part:?}");
        }
        assert!(!intact(&own));
    }
}
