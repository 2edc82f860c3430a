//! SHA-256 of data sets.

use crate::data::Dataset;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The SHA-256 of everything in a data set that reaches a network, in hexadecimal.
pub(crate) fn sha256_of_dataset(dataset: &Dataset) -> String {
    let mut digest = Sha256::new();
    for size in [dataset.channels, dataset.height, dataset.width] {
        digest.update((size as u64).to_le_bytes());
    }
    for value in dataset.mean.iter().chain(&dataset.std) {
        digest.update(value.to_le_bytes());
    }
    for split in [&dataset.train, &dataset.test] {
        digest.update((split.len() as u64).to_le_bytes());
        digest.update(split.sha256());
        split.labels.iter().for_each(|label| digest.update(label.to_le_bytes()));
    }
    hexadecimal(&digest.finalize())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
