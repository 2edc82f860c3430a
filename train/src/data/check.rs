//! Counts, checksums and duplicates of a data set.

use super::{DataError, Dataset, Source, Split, open};
use serde::Serialize;
use std::collections::HashSet;

/// What [`check`] finds in a data set.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The spec.
    pub name: String,
    /// Channels an image.
    pub channels: usize,
    /// Rows and columns in the files.
    pub native: (usize, usize),
    /// Rows and columns with padding.
    pub padded: (usize, usize),
    /// Class names by label.
    pub labels: Vec<String>,
    /// Mean of the native training pixels by channel, the byte range being 0 to 1.
    pub mean: Vec<f32>,
    /// Standard deviation of the native training pixels by channel, the byte range being 0 to 1.
    pub std: Vec<f32>,
    /// Whether the files have known checksums. Where they have, the check ends with an error unless they are right.
    pub checksums_verified: bool,
    /// For training.
    pub train: SplitReport,
    /// For testing.
    pub test: SplitReport,
    /// Images that are equal in every pixel.
    pub duplicates: Duplicates,
}

/// What [`check`] finds in a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SplitReport {
    /// Number of images.
    pub images: usize,
    /// Number of images by label.
    pub per_class: Vec<usize>,
}

/// Images that are equal in every pixel to an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Duplicates {
    /// Training images that repeat an earlier training image.
    pub within_train: usize,
    /// Test images that repeat an earlier test image.
    pub within_test: usize,
    /// Test images that are training images too.
    pub between: usize,
}

/// Opens a data set and reports its sizes, counts, checksums and duplicates.
/// # Errors
/// Those of [`open`](super::open).
pub fn check(spec: &str) -> Result<Report, DataError> {
    let (source, _) = Source::find(spec)?;
    Ok(report(&open(spec)?, source.pinned))
}

fn report(dataset: &Dataset, checksums_verified: bool) -> Report {
    let split = |split: &Split| {
        let mut per_class = vec![0; dataset.labels.len()];
        for &label in &split.labels {
            per_class[usize::from(label)] += 1;
        }
        SplitReport { images: split.len(), per_class }
    };
    Report {
        name: dataset.name.clone(),
        channels: dataset.channels,
        native: dataset.native,
        padded: (dataset.height, dataset.width),
        labels: dataset.labels.clone(),
        mean: dataset.mean.clone(),
        std: dataset.std.clone(),
        checksums_verified,
        train: split(&dataset.train),
        test: split(&dataset.test),
        duplicates: duplicates(&dataset.train, &dataset.test),
    }
}

fn duplicates(train: &Split, test: &Split) -> Duplicates {
    let distinct = |split| images(split).collect::<HashSet<_>>();
    let known = distinct(train);
    Duplicates {
        within_train: train.len() - known.len(),
        within_test: test.len() - distinct(test).len(),
        between: images(test).filter(|image| known.contains(image)).count(),
    }
}

fn images(split: &Split) -> impl Iterator<Item = &[u8]> {
    (0..split.len()).map(|index| split.image(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duplicates_are_counted_within_and_between_splits() {
        let split = |images: [[u8; 2]; 4]| Split { pixels: images.concat(), labels: vec![0, 1, 1, 1] };
        let dataset = Dataset {
            name: "tiny".into(),
            channels: 1,
            native: (1, 2),
            height: 1,
            width: 2,
            labels: vec!["a".into(), "b".into(), "c".into()],
            mean: vec![0.5],
            std: vec![0.5],
            train: split([[1, 2], [3, 4], [1, 2], [1, 2]]),
            test: split([[3, 4], [3, 4], [2, 1], [1, 2]]),
        };
        let report = report(&dataset, false);
        assert_eq!(report.duplicates, Duplicates { within_train: 2, within_test: 1, between: 3 });
        assert_eq!(report.train, SplitReport { images: 4, per_class: vec![1, 3, 0] });
    }

    #[test]
    fn the_bundled_sample_is_clean() {
        let report = check("fashion-mnist-sample").unwrap();
        assert!(report.checksums_verified);
        assert_eq!(report.train.per_class, [400; 10]);
        assert_eq!(report.test.per_class, [100; 10]);
        assert_eq!(report.duplicates, Duplicates { within_train: 0, within_test: 0, between: 0 });
    }
}
