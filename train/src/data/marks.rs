//! Labels as files give them, numbers or names, and the classes that they make.

use super::DataError;
use super::catalog::Catalog;
use super::class_names::CLASS_NAMES;
use std::collections::{BTreeSet, HashMap};

/// A label as a file gives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mark {
    Number(i64),
    Name(String),
}

impl Mark {
    /// The label that a text gives: a number, or else a name.
    pub fn parse(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Number)
    }

    fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Name(name) => name.clone(),
        }
    }
}

/// The classes that all labels of a data set make together.
#[derive(Debug)]
pub(crate) enum Classes {
    /// Every label is the number of its class; the names are those that are listed, if any.
    Numbered(Option<Vec<String>>),
    /// Labels are names, whose places in the list are the numbers of their classes.
    Named(Vec<String>, HashMap<String, i64>),
}

impl Classes {
    /// The classes in the order of a list of names, or else in the order of the labels.
    pub fn of<'a>(marks: impl Iterator<Item = &'a Mark>, listed: Option<Vec<String>>) -> Self {
        let marks: BTreeSet<&Mark> = marks.collect();
        if marks.iter().all(|mark| matches!(mark, Mark::Number(_))) {
            return Self::Numbered(listed);
        }
        let names = listed.unwrap_or_else(|| marks.into_iter().map(Mark::text).collect());
        let places = names.iter().cloned().zip(0..).collect();
        Self::Named(names, places)
    }

    /// The number of a label's class, or what is wrong with it.
    pub fn label(&self, mark: &Mark) -> Result<i64, String> {
        match (self, mark) {
            (Self::Numbered(_), Mark::Number(number)) => Ok(*number),
            (Self::Named(_, places), mark) if places.contains_key(&mark.text()) => Ok(places[&mark.text()]),
            (_, mark) => Err(format!(
                "its label {:?} is none of the listed classes; add it to {CLASS_NAMES}, or correct it",
                mark.text()
            )),
        }
    }

    /// Names the classes of a catalog whose samples have their labels.
    pub fn name(self, catalog: &mut Catalog) -> Result<(), DataError> {
        match self {
            Self::Numbered(None) => catalog.number_classes(),
            Self::Numbered(Some(names)) | Self::Named(names, _) => {
                catalog.labels = names;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_their_places_in_the_list_and_unknown_ones_are_refused() {
        let marks = ["zebra", "ant", "7"].map(Mark::parse);
        assert_eq!(marks[2], Mark::Number(7));
        let labels = |listed: Option<&[&str]>| {
            let listed = listed.map(|names| names.iter().map(ToString::to_string).collect());
            let classes = Classes::of(marks.iter(), listed);
            marks.each_ref().map(|mark| classes.label(mark))
        };
        assert_eq!(labels(None), [Ok(2), Ok(1), Ok(0)]);
        assert_eq!(labels(Some(&["zebra", "ant", "7"])), [Ok(0), Ok(1), Ok(2)]);
        let [known, unknown, _] = labels(Some(&["bee", "zebra"]));
        assert_eq!(known, Ok(1));
        assert!(unknown.unwrap_err().contains("\"ant\" is none of the listed classes"));
        let numbers = [Mark::Number(4), Mark::Number(-1)];
        let classes = Classes::of(numbers.iter(), None);
        assert_eq!(numbers.map(|mark| classes.label(&mark)), [Ok(4), Ok(-1)]);
    }
}
