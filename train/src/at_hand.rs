//! A data set that is open already, so that the runs of a table need not read and decode it one by one.

use crate::Error;
use crate::data::{self, Dataset, Reading};
use crate::digest::sha256_of_dataset;
use std::sync::Arc;

/// A data set, what it was opened with, and its checksum.
#[derive(Clone, Debug)]
pub(crate) struct AtHand {
    spec: String,
    reading: Reading,
    pub(crate) dataset: Arc<Dataset>,
    pub(crate) sha256: String,
}

impl AtHand {
    /// Opens a data set.
    ///
    /// # Errors
    /// As [`data::open_with`].
    pub(crate) fn open(spec: &str, reading: &Reading) -> Result<Self, Error> {
        let dataset = Arc::new(data::open_with(spec, reading)?);
        let sha256 = sha256_of_dataset(&dataset);
        Ok(Self { spec: spec.to_owned(), reading: *reading, dataset, sha256 })
    }

    /// What is at hand, where it is what is asked for; else the data set is opened.
    ///
    /// # Errors
    /// As [`data::open_with`].
    pub(crate) fn or_open(at_hand: Option<&Self>, spec: &str, reading: &Reading) -> Result<Self, Error> {
        match at_hand {
            Some(open) if open.spec == spec && open.reading == *reading => Ok(open.clone()),
            _ => Self::open(spec, reading),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_set_is_opened_again_only_for_another_spec_or_reading() {
        let (spec, plain) = ("fashion-mnist-sample", Reading::default());
        let open = AtHand::open(spec, &plain).unwrap();
        let again = |spec: &str, reading: &Reading| AtHand::or_open(Some(&open), spec, reading).unwrap();
        assert!(Arc::ptr_eq(&open.dataset, &again(spec, &plain).dataset));
        let coloured = again(spec, &Reading { channels: Some(3), ..plain });
        assert_eq!((open.dataset.channels, coloured.dataset.channels), (1, 3));
        assert_ne!(open.sha256, coloured.sha256);
        let anew = AtHand::or_open(None, spec, &plain).unwrap();
        assert!(!Arc::ptr_eq(&open.dataset, &anew.dataset) && open.sha256 == anew.sha256);
        assert!(AtHand::or_open(Some(&open), "idx:nowhere", &plain).is_err());
    }
}
