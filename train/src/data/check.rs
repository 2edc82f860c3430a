//! What is wrong with a data set: damage, duplicates, sizes, classes.

use super::catalog::Catalog;
use super::decode::Shape;
use super::look::Look;
use super::reading::Reading;
use super::sample::Sample;
use super::source::catalog;
use super::suspects::{Suspect, suspects};
use super::twins::{Twin, twins};
use super::{DataError, Skipped, Source};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::BTreeMap;

/// What [`check`] finds in a data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The spec.
    pub name: String,
    /// Class names by label; none where the data set has no labels.
    pub labels: Vec<String>,
    /// What was done about the files that nobody asked for, a sentence each.
    pub notices: Vec<String>,
    /// Whether the files have known checksums. Where they have, the check ends with an error unless they are right.
    pub checksums_verified: bool,
    /// For training.
    pub train: SplitReport,
    /// For choices between runs.
    pub validation: SplitReport,
    /// For testing.
    pub test: SplitReport,
    /// Sizes of the images, the most frequent first.
    pub sizes: Vec<SizeReport>,
    /// Images that cannot be decoded.
    pub damaged: Vec<Skipped>,
    /// Images that repeat earlier ones.
    pub duplicates: Duplicates,
    /// Images whose labels are worth a look.
    pub suspects: Vec<Suspect>,
}

/// What [`check`] finds in a split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SplitReport {
    /// Number of images, damaged ones included.
    pub images: usize,
    /// Number of damaged images.
    pub damaged: usize,
    /// Number of images by label.
    pub per_class: Vec<usize>,
}

/// How many images have a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SizeReport {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels.
    pub channels: usize,
    /// Images of that size.
    pub images: usize,
}

/// Images that repeat earlier ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Duplicates {
    /// Training images that equal an earlier training image in every pixel.
    pub within_train: usize,
    /// Validation and test images that equal an earlier one of their split.
    pub within_test: usize,
    /// Validation and test images that equal an image of an earlier split.
    pub between: usize,
    /// Images that look like an earlier one without being equal.
    pub near: usize,
    /// Equal images with different labels.
    pub conflicts: Vec<Pair>,
    /// The first pairs of images that are equal or look alike.
    pub examples: Vec<Pair>,
}

/// Two images that are equal or look alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// The earlier one.
    pub first: String,
    /// The one that repeats it.
    pub second: String,
    /// Whether they are equal in every pixel.
    pub exact: bool,
}

/// Pairs that a report shows.
const EXAMPLES: usize = 10;

/// Decodes every image of a data set and reports damage, duplicates, sizes and counts.
/// # Errors
/// The spec is wrong, files are missing, labels name no class, or there are too few images.
pub fn check(spec: &str, reading: &Reading) -> Result<Report, DataError> {
    let (source, _) = Source::find(spec)?;
    Ok(report(&catalog(spec, reading)?.settle(reading)?, source.pinned))
}

impl Report {
    /// What makes a data set unfit for training, one line each; other findings are worth a look and no more.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.damaged.is_empty() {
            problems.push(format!("{} damaged images", self.damaged.len()));
        }
        for (class, _) in self.labels.iter().zip(&self.train.per_class).filter(|(_, images)| **images == 0) {
            problems.push(format!("class {class:?} has no training image"));
        }
        if !self.duplicates.conflicts.is_empty() {
            problems.push(format!("{} equal images with different labels", self.duplicates.conflicts.len()));
        }
        let images = self.train.images - self.train.damaged;
        if images > 1 && self.duplicates.within_train + 1 == images {
            problems.push("all training images are equal".to_owned());
        }
        problems
    }
}

fn report(catalog: &Catalog, checksums_verified: bool) -> Report {
    let splits = [&catalog.train, &catalog.validation, &catalog.test];
    let samples: Vec<(usize, &Sample)> = splits
        .iter()
        .enumerate()
        .flat_map(|(split, samples)| samples.iter().map(move |sample| (split, sample)))
        .collect();
    let seen: Vec<Result<Look, String>> = samples.par_iter().map(|(_, sample)| Look::at(sample)).collect();
    let (mut damaged, mut looks, mut usable) = (Vec::new(), Vec::new(), Vec::new());
    let mut damaged_by_split = [0; 3];
    for (sample, look) in samples.into_iter().zip(seen) {
        match look {
            Ok(look) => {
                looks.push(look);
                usable.push(sample);
            }
            Err(reason) => {
                damaged_by_split[sample.0] += 1;
                damaged.push(Skipped { image: sample.1.name(), reason });
            }
        }
    }
    let mut damaged_of = damaged_by_split.into_iter();
    let [train, validation, test] = splits.map(|samples| SplitReport {
        damaged: damaged_of.next().unwrap_or_default(),
        ..counts(samples, catalog.labels.len())
    });
    let twins = twins(&looks);
    Report {
        name: catalog.name.clone(),
        labels: catalog.labels.clone(),
        notices: catalog.notices.clone(),
        checksums_verified,
        train,
        validation,
        test,
        sizes: sizes(&looks),
        damaged,
        duplicates: duplicates(&twins, &usable),
        suspects: suspects(&looks, &usable, &twins, &catalog.labels),
    }
}

fn counts(samples: &[Sample], classes: usize) -> SplitReport {
    let mut per_class = vec![0; classes];
    for sample in samples {
        if let Some(count) = usize::try_from(sample.label).ok().and_then(|label| per_class.get_mut(label)) {
            *count += 1;
        }
    }
    SplitReport { images: samples.len(), damaged: 0, per_class }
}

fn sizes(looks: &[Look]) -> Vec<SizeReport> {
    let mut counts: BTreeMap<Shape, usize> = BTreeMap::new();
    looks.iter().for_each(|look| *counts.entry(look.shape).or_default() += 1);
    let report = |(Shape { height, width, channels }, images)| SizeReport { height, width, channels, images };
    let mut sizes: Vec<SizeReport> = counts.into_iter().map(report).collect();
    sizes.sort_by_key(|size| std::cmp::Reverse(size.images));
    sizes
}

fn duplicates(twins: &[Twin], samples: &[(usize, &Sample)]) -> Duplicates {
    let mut found = Duplicates::default();
    for twin in twins {
        let ((split, image), (earlier_split, earlier)) = (samples[twin.image], samples[twin.earlier]);
        match (twin.exact, split, earlier_split) {
            (false, ..) => found.near += 1,
            (true, 0, 0) => found.within_train += 1,
            (true, one, other) if one == other => found.within_test += 1,
            _ => found.between += 1,
        }
        let pair = || Pair { first: earlier.name(), second: image.name(), exact: twin.exact };
        if twin.exact && image.label != earlier.label {
            found.conflicts.push(pair());
        }
        if found.examples.len() < EXAMPLES {
            found.examples.push(pair());
        }
    }
    found
}

#[cfg(test)]
mod tests;
