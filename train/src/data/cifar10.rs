//! CIFAR-10: 32x32 colour images of ten classes.

use super::cifar::{self, Packing, Variant};
use super::{Place, Source};

pub(crate) const SOURCE: Source = Source {
    name: VARIANT.name,
    argument: Some("FOLDER"),
    description: "CIFAR-10, 32x32 colour images, its Python or its binary files",
    images: Some((50_000, 10_000)),
    classes: Some(10),
    licence: "not stated",
    pinned: false,
    place: |_| Place::Argument,
    catalog: |argument, _, _| cifar::catalog(&VARIANT, argument),
    fetch: None,
};

const VARIANT: Variant = Variant {
    name: "cifar10",
    python: Packing {
        archive: "cifar-10-python.tar.gz",
        md5: "c58f30108f718f92721af3b95e74349a",
        folder: "cifar-10-batches-py",
        train: &["data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"],
        test: "test_batch",
        names: "batches.meta",
    },
    binary: Packing {
        archive: "cifar-10-binary.tar.gz",
        md5: "c32a1d4ab5d03f1284b67883e8d87530",
        folder: "cifar-10-batches-bin",
        train: &["data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"],
        test: "test_batch.bin",
        names: "batches.meta.txt",
    },
    labels_key: "labels",
    names_key: "label_names",
    label_bytes: 1,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DataError, Dataset};
    use std::fs;
    use tempfile::TempDir;

    fn record(label: u8, first: u8) -> Vec<u8> {
        let mut record = vec![label];
        record.extend((0..3072u32).map(|index| (index / 7) as u8 ^ first));
        record
    }

    /// Two images a file.
    fn folder() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join(VARIANT.binary.folder);
        fs::create_dir(&inner).unwrap();
        for (index, name) in VARIANT.binary.train.iter().chain([&VARIANT.binary.test]).enumerate() {
            let index = index as u8;
            fs::write(inner.join(name), [record(index, index), record(9, index + 100)].concat()).unwrap();
        }
        fs::write(inner.join(VARIANT.binary.names), "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n").unwrap();
        folder
    }

    fn open(folder: &TempDir) -> Result<Dataset, DataError> {
        crate::data::open(&format!("cifar10:{}", folder.path().display()))
    }

    #[test]
    fn binary_records_are_read_where_they_lie() {
        let dataset = open(&folder()).unwrap();
        assert_eq!(dataset.train.labels, [0, 9, 1, 9, 2, 9, 3, 9, 4, 9]);
        assert_eq!((dataset.channels, dataset.height, dataset.width, dataset.labels.len()), (3, 32, 32, 10));
        for (image, first) in [(0, 0), (1, 100), (8, 4)] {
            assert_eq!(dataset.train.image(image).unwrap()[..], record(0, first)[1..], "image {image}");
        }
        assert!(!dataset.train.is_streamed());
    }

    #[test]
    fn missing_and_cut_files_and_other_archives_are_named() {
        let folder = folder();
        let message = || open(&folder).map(|_| ()).unwrap_err().to_string();
        let archive = folder.path().join(VARIANT.python.archive);
        fs::write(&archive, "half of it").unwrap();
        assert!(message().contains(VARIANT.python.md5) && message().contains("cifar-10-python.tar.gz is damaged"));
        fs::remove_file(archive).unwrap();
        let path = folder.path().join("cifar-10-batches-bin/data_batch_3.bin");
        fs::write(&path, [0; 3000]).unwrap();
        assert!(message().contains("data_batch_3.bin: 3000 bytes are no whole number of records"), "{}", message());
        fs::remove_file(path).unwrap();
        assert!(message().contains("cifar-10-batches-bin: lacks data_batch_3.bin"), "{}", message());
    }
}
