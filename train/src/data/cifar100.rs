//! CIFAR-100: 32x32 colour images of a hundred classes; the fine labels are the classes.

use super::cifar::{self, Packing, Variant};
use super::{Place, Source};

pub(crate) const SOURCE: Source = Source {
    name: VARIANT.name,
    argument: Some("FOLDER"),
    description: "CIFAR-100, 32x32 colour images, its Python or its binary files",
    images: Some((50_000, 10_000)),
    classes: Some(100),
    licence: "not stated",
    pinned: false,
    place: |_| Place::Argument,
    catalog: |argument, _, _| cifar::catalog(&VARIANT, argument),
    fetch: None,
};

const VARIANT: Variant = Variant {
    name: "cifar100",
    python: Packing {
        archive: "cifar-100-python.tar.gz",
        md5: "eb9058c3a382ffc7106e4002c42a8d85",
        folder: "cifar-100-python",
        train: &["train"],
        test: "test",
        names: "meta",
    },
    binary: Packing {
        archive: "cifar-100-binary.tar.gz",
        md5: "03b5dce01913d631647c71ecec9e9cb8",
        folder: "cifar-100-binary",
        train: &["train.bin"],
        test: "test.bin",
        names: "fine_label_names.txt",
    },
    labels_key: "fine_labels",
    names_key: "fine_label_names",
    label_bytes: 2,
};
