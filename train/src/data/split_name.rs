//! The names of splits in the names of files and folders.

use super::DataError;
use super::catalog::Catalog;
use std::fmt;

/// A part of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitName {
    /// For training.
    Train,
    /// For choices between runs.
    Validation,
    /// For testing.
    Test,
}

impl SplitName {
    /// The split that a name is of, by a word in it: `train-00000-of-00002`, `val`, `imagenet_test.7`; none where it names none.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        let mut words = name.split(|character: char| !character.is_ascii_alphabetic());
        words.find_map(|word| match word.to_ascii_lowercase().as_str() {
            "train" | "training" => Some(Self::Train),
            "val" | "valid" | "validation" => Some(Self::Validation),
            "test" | "testing" => Some(Self::Test),
            _ => None,
        })
    }

    /// Refuses a data set in which some files name a split and others do not.
    pub(crate) fn all_or_none(names: &[&str], catalog: &Catalog) -> Result<(), DataError> {
        let (with, without): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| Self::of(name).is_some());
        match (with.first(), without.first()) {
            (Some(with), Some(without)) => Err(DataError::Format {
                file: catalog.name.clone(),
                problem: format!(
                    "{with} names its split, {without} does not; put train, validation or test into all names or none"
                ),
            }),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for SplitName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_in_the_name_tells_the_split() {
        let cases = [
            ("train", Some(SplitName::Train)),
            ("train-00000-of-00005", Some(SplitName::Train)),
            ("Training_7", Some(SplitName::Train)),
            ("val", Some(SplitName::Validation)),
            ("imagenet.validation.3", Some(SplitName::Validation)),
            ("test_batch", Some(SplitName::Test)),
            ("trains", None),
            ("latest", None),
            ("000001", None),
        ];
        for (name, expected) in cases {
            assert_eq!(SplitName::of(name), expected, "{name}");
        }
    }

    #[test]
    fn files_that_name_no_split_beside_others_that_do_are_refused() {
        let catalog = Catalog::new("toy".into(), Vec::new());
        let check = |names: &[&str]| SplitName::all_or_none(names, &catalog).map_err(|error| error.to_string());
        assert!(check(&["train-0.tar", "test-0.tar"]).is_ok() && check(&["0.tar", "1.tar"]).is_ok());
        let message = check(&["train-0.tar", "1.tar"]).unwrap_err();
        assert!(message.contains("train-0.tar names its split, 1.tar does not"), "{message}");
    }
}
