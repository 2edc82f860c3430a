//! Everything that a source knows about its images before they are decoded.

use super::DataError;
use super::random::{Purpose, stream};
use super::reading::Reading;
use super::sample::Sample;
use super::split_name::SplitName;
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, HashSet};

/// Labels beyond this are no classes but some other number.
const MOST_CLASSES: usize = 1 << 16;

/// The images of a data set, split by split.
#[derive(Debug)]
pub(crate) struct Catalog {
    /// The spec.
    pub name: String,
    /// Class names by label; none where the data set has no labels.
    pub labels: Vec<String>,
    pub train: Vec<Sample>,
    pub validation: Vec<Sample>,
    pub test: Vec<Sample>,
    /// What was done about the files that nobody asked for.
    pub notices: Vec<String>,
}

impl Catalog {
    /// A catalog without images yet.
    pub fn new(name: String, labels: Vec<String>) -> Self {
        Self { name, labels, train: Vec::new(), validation: Vec::new(), test: Vec::new(), notices: Vec::new() }
    }

    /// The images of a split.
    pub fn split_mut(&mut self, split: SplitName) -> &mut Vec<Sample> {
        match split {
            SplitName::Train => &mut self.train,
            SplitName::Validation => &mut self.validation,
            SplitName::Test => &mut self.test,
        }
    }

    /// All splits with their names.
    pub fn splits_mut(&mut self) -> [(SplitName, &mut Vec<Sample>); 3] {
        [
            (SplitName::Train, &mut self.train),
            (SplitName::Validation, &mut self.validation),
            (SplitName::Test, &mut self.test),
        ]
    }

    /// Names the classes by number, as many as the labels ask for.
    pub fn number_classes(&mut self) -> Result<(), DataError> {
        self.check_labels(MOST_CLASSES)?;
        let samples = self.train.iter().chain(&self.validation).chain(&self.test);
        let classes = samples.map(|sample| sample.label + 1).max().unwrap_or_default();
        self.labels = (0..classes).map(|class| class.to_string()).collect();
        Ok(())
    }

    /// Sees to it that there are training and test images, and that every label names a class.
    ///
    /// A data set with validation images and no test images is tested on its validation images, as ImageNet is. One with
    /// neither gives the same share of every class away, chosen by seed.
    pub fn settle(mut self, reading: &Reading) -> Result<Self, DataError> {
        self.check_labels(self.labels.len().max(1))?;
        if self.test.is_empty() {
            self.test = std::mem::take(&mut self.validation);
        }
        if self.test.is_empty() {
            self.hold_out(reading.held_out, reading.held_out_seed);
        }
        match (self.train.len(), self.test.len()) {
            (0, _) | (_, 0) => {
                Err(DataError::TooFew { name: self.name.clone(), train: self.train.len(), test: self.test.len() })
            }
            _ => Ok(self),
        }
    }

    fn check_labels(&self, classes: usize) -> Result<(), DataError> {
        for samples in [&self.train, &self.validation, &self.test] {
            let known = |label: i64| usize::try_from(label).is_ok_and(|label| label < classes);
            if let Some(index) = samples.iter().position(|sample| !known(sample.label)) {
                let Sample { file, label, .. } = &samples[index];
                let (file, label) = (file.to_string(), *label);
                return Err(DataError::LabelRange { file, index, label, classes });
            }
        }
        Ok(())
    }

    /// At least one image of every class that has two stays on either side.
    fn hold_out(&mut self, share: f64, seed: u64) {
        let mut classes: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (index, sample) in self.train.iter().enumerate() {
            classes.entry(sample.label).or_default().push(index);
        }
        let mut held_out = HashSet::new();
        for (class, mut members) in classes.into_iter().filter(|(_, members)| members.len() > 1) {
            members.shuffle(&mut stream(Purpose::HeldOut, seed, [class.cast_unsigned(), 0]));
            let count = ((members.len() as f64 * share).round() as usize).clamp(1, members.len() - 1);
            held_out.extend(members.into_iter().take(count));
        }
        let samples = std::mem::take(&mut self.train).into_iter().enumerate();
        let (test, train): (Vec<_>, Vec<_>) = samples.partition(|(index, _)| held_out.contains(index));
        let samples = |part: Vec<(usize, Sample)>| part.into_iter().map(|(_, sample)| sample).collect();
        (self.train, self.test) = (samples(train), samples(test));
    }
}

/// Checks that there are two classes at least, and that each has an image among those of some labels.
pub(crate) fn check_classes(
    name: &str,
    classes: &[String],
    labels: impl Iterator<Item = usize>,
) -> Result<(), DataError> {
    if let [class] = classes {
        return Err(DataError::OneClass { name: name.to_owned(), class: class.clone() });
    }
    let mut seen = vec![false; classes.len()];
    labels.for_each(|label| seen[label] = true);
    match seen.iter().position(|seen| !seen) {
        Some(class) => Err(DataError::EmptyClass { name: name.to_owned(), class: classes[class].clone() }),
        None => Ok(()),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::data::decode::Shape;
    use crate::data::sample::Origin;
    use crate::data::store::Store;
    use std::sync::Arc;

    /// Images with these labels, each of one grey pixel.
    pub fn samples(labels: &[i64]) -> Vec<Sample> {
        let store = Arc::new(Store::Memory((0..labels.len()).map(|index| index as u8).collect()));
        let shape = Shape { height: 1, width: 1, channels: 1 };
        let sample = |(index, &label): (usize, &i64)| Sample {
            file: "file".into(),
            origin: Origin::Pixels { store: store.clone(), offset: index as u64, shape, index },
            label,
        };
        labels.iter().enumerate().map(sample).collect()
    }

    fn catalog(train: &[i64], validation: &[i64], test: &[i64]) -> Catalog {
        let labels = ["a", "b"].map(str::to_owned).to_vec();
        let [train, validation, test] = [train, validation, test].map(samples);
        Catalog { train, validation, test, ..Catalog::new("toy".into(), labels) }
    }

    fn sizes(catalog: Catalog, reading: &Reading) -> Result<(usize, usize, usize), String> {
        let settled = catalog.settle(reading).map_err(|error| error.to_string())?;
        Ok((settled.train.len(), settled.validation.len(), settled.test.len()))
    }

    #[test]
    fn test_images_are_their_own_or_the_validation_images_or_held_out() {
        let reading = Reading { held_out: 0.25, ..Reading::default() };
        let sizes = |catalog| sizes(catalog, &reading);
        assert_eq!(sizes(catalog(&[0, 1], &[0], &[1, 1])), Ok((2, 1, 2)));
        assert_eq!(sizes(catalog(&[0, 1], &[0], &[])), Ok((2, 0, 1)));
        assert_eq!(sizes(catalog(&[0; 40], &[], &[])), Ok((30, 0, 10)));
        assert_eq!(sizes(catalog(&[0, 1, 0, 1], &[], &[])), Ok((2, 0, 2)));
        assert!(sizes(catalog(&[0], &[], &[])).unwrap_err().contains("1 training image"));
        assert!(sizes(catalog(&[], &[], &[0])).unwrap_err().contains("0 training images"));
    }

    #[test]
    fn what_is_held_out_depends_on_its_seed_alone_and_is_the_same_share_of_every_class() {
        let labels: Vec<i64> = (0..200).map(|index| i64::from(index % 4 == 0)).collect();
        let held_out = |held_out_seed| {
            let reading = Reading { held_out_seed, ..Reading::default() };
            catalog(&labels, &[], &[]).settle(&reading).unwrap().test
        };
        let names = |seed| held_out(seed).iter().map(Sample::name).collect::<Vec<_>>();
        assert_eq!(names(0), names(0));
        assert_ne!(names(0), names(1));
        assert_eq!(held_out(0).iter().filter(|sample| sample.label == 1).count(), 5);
        assert_eq!(held_out(0).len(), 20);
    }

    #[test]
    fn labels_must_name_a_class() {
        let reading = Reading::default();
        for (wrong, part) in [(2, "label 2 at position 1 is out of range, there are 2 classes"), (-1, "label -1")] {
            let message = sizes(catalog(&[0, wrong, 1], &[], &[]), &reading).unwrap_err();
            assert!(message.contains(part), "{message:?} lacks {part:?}");
        }
        let mut numbered = catalog(&[0, 4], &[], &[2]);
        numbered.number_classes().unwrap();
        assert_eq!(numbered.labels, ["0", "1", "2", "3", "4"]);
    }
}
