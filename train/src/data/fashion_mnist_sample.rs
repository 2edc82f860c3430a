//! A small part of Fashion-MNIST inside the program: 400 training and 100 test images a class.

use super::catalog::Catalog;
use super::fashion_mnist::{CLASSES, LICENCE};
use super::idx_set::{Content, FILES, IdxSet, Pins};
use super::reading::Reading;
use super::roots::Roots;
use super::{DataError, Place, Source, contents};

pub(crate) const SOURCE: Source = Source {
    name: NAME,
    argument: None,
    description: "a small part of Fashion-MNIST, the same number of images for every class",
    images: Some((4_000, 1_000)),
    classes: Some(CLASSES.len()),
    licence: LICENCE,
    pinned: true,
    place: |_| Place::Bundled,
    catalog,
    fetch: None,
};

const NAME: &str = "fashion-mnist-sample";

/// SHA-256 of the unpacked files.
const PINS: Pins = [
    "c041eeabbd03c102dcdb2c60d4727528e3e6490132fb582d0b86f0d3eca73a46",
    "e75a7096078986cc5bba31b67a03b3e9aec21bc74c34ec6ac0f81ea5ac657853",
    "fd8f320b9fa77a64b95fe393d2c7a8e4f7bcbe25b17264f144513e96768138ef",
    "1e1204b66c515525e1ff8abf61c3ce6eba74e5784d87701f6e804c58d345194b",
];

macro_rules! asset {
    ($name:literal) => {
        include_bytes!(concat!("../../assets/fashion-mnist-sample/", $name, ".gz"))
    };
}

/// In the order of [`FILES`].
const ASSETS: [&[u8]; 4] = [
    asset!("train-images-idx3-ubyte"),
    asset!("train-labels-idx1-ubyte"),
    asset!("t10k-images-idx3-ubyte"),
    asset!("t10k-labels-idx1-ubyte"),
];

fn catalog(_: &str, _: &Roots, _: &Reading) -> Result<Catalog, DataError> {
    Ok(files()?.catalog(NAME, CLASSES.map(str::to_owned).to_vec()))
}

fn files() -> Result<IdxSet, DataError> {
    let content = |index: usize| -> Result<Content, DataError> {
        let name = format!("bundled {}", FILES[index]);
        Ok(Content { bytes: contents::unpack(&name, ASSETS[index].to_vec())?, name })
    };
    IdxSet::decode([content(0)?, content(1)?, content(2)?, content(3)?], Some(&PINS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn the_sample_has_the_same_number_of_images_for_every_class() {
        let dataset = crate::data::open(NAME).unwrap();
        assert_eq!((dataset.train.len(), dataset.test.len()), SOURCE.images.unwrap());
        assert_eq!((dataset.native, dataset.height, dataset.width, dataset.channels), ((28, 28), 32, 32, 1));
        for class in 0..10 {
            let count = |labels: &[u32]| labels.iter().filter(|&&label| label == class).count();
            assert_eq!((count(&dataset.train.labels), count(&dataset.test.labels)), (400, 100), "class {class}");
        }
        assert_eq!(dataset.labels[9], "Ankle boot");
    }

    #[test]
    fn the_sample_is_small() {
        let size: usize = ASSETS.iter().map(|asset| asset.len()).sum();
        assert!(size < 5_000_000, "{size} bytes");
    }

    #[test]
    fn every_image_of_the_sample_is_one_of_the_full_set_with_its_label() {
        let full = match super::super::open("fashion-mnist") {
            Ok(full) => full,
            Err(DataError::Missing { .. }) => {
                return eprintln!("SKIPPED: the full Fashion-MNIST is not on this machine");
            }
            Err(error) => panic!("{error}"),
        };
        let sample = crate::data::open(NAME).unwrap();
        for (part, whole) in [(&sample.train, &full.train), (&sample.test, &full.test)] {
            let known: HashSet<_> =
                (0..whole.len()).map(|index| (whole.image(index).unwrap(), whole.labels[index])).collect();
            assert!((0..part.len()).all(|index| known.contains(&(part.image(index).unwrap(), part.labels[index]))));
        }
    }
}
