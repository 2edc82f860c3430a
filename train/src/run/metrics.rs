//! Numbers of a run over its steps: one JSON object a line.

use crate::Error;
use selfie_models::saved::write_atomically;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// One line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Steps that were done.
    pub step: u64,
    /// Training batches or the test split.
    pub split: Split,
    /// Numbers by name. Over training batches: means since the line before.
    #[serde(flatten, deserialize_with = "numbers")]
    pub values: BTreeMap<String, f64>,
}

/// Where the numbers of a [`Line`] come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Split {
    /// Training batches.
    Train,
    /// The images by which the best step is found.
    Validation,
    /// The test split.
    Test,
}

impl std::fmt::Display for Split {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
        })
    }
}

/// The open `metrics.jsonl` of a run.
#[derive(Debug)]
pub(crate) struct Metrics {
    path: PathBuf,
    file: File,
    lines: Vec<Line>,
}

impl Metrics {
    /// Opens the file and cuts what lies after `step`, which the run is about to do again.
    pub(crate) fn open(path: &Path, step: u64) -> Result<Self, Error> {
        let lines: Vec<Line> = match path.exists() {
            // A line that was being written when the process was killed lies after the step.
            true => whole_lines(path)?.into_iter().filter(|line| line.step <= step).collect(),
            false => Vec::new(),
        };
        let mut text = String::new();
        for line in &lines {
            text.push_str(&json(path, line)?);
        }
        write_atomically(path, text.as_bytes())?;
        let file = OpenOptions::new().append(true).open(path).map_err(Error::io("cannot write", path))?;
        Ok(Self { path: path.to_owned(), file, lines })
    }

    pub(crate) fn push(&mut self, line: Line) -> Result<(), Error> {
        let text = json(&self.path, &line)?;
        self.file.write_all(text.as_bytes()).map_err(Error::io("cannot write", &self.path))?;
        self.lines.push(line);
        Ok(())
    }

    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Every number of the last line of a split; names begin with `validation_` and `test_`.
    pub(crate) fn last(&self) -> BTreeMap<String, f64> {
        let mut last = BTreeMap::new();
        for (split, prefix) in [(Split::Train, ""), (Split::Validation, "validation_"), (Split::Test, "test_")] {
            if let Some(line) = self.lines.iter().rev().find(|line| line.split == split) {
                last.extend(line.values.iter().map(|(name, value)| (format!("{prefix}{name}"), *value)));
            }
        }
        last
    }
}

/// Reads the metrics of a run.
///
/// # Errors
/// [`Error::Io`] names the file.
pub fn read(path: &Path) -> Result<Vec<Line>, Error> {
    whole_lines(path)
}

fn whole_lines(path: &Path) -> Result<Vec<Line>, Error> {
    let text = std::fs::read_to_string(path).map_err(Error::io("cannot read", path))?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// The numbers of a line without those that JSON has no word for, which stand there as `null`.
fn numbers<'de, D: Deserializer<'de>>(line: D) -> Result<BTreeMap<String, f64>, D::Error> {
    let values = BTreeMap::<String, Option<f64>>::deserialize(line)?;
    Ok(values.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
}

fn json(path: &Path, line: &Line) -> Result<String, Error> {
    let wrong = |error: serde_json::Error| Error::Damaged { path: path.to_owned(), reason: error.to_string() };
    Ok(serde_json::to_string(line).map_err(wrong)? + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(step: u64, split: Split, value: f64) -> Line {
        Line { step, split, values: BTreeMap::from([("accuracy".to_owned(), value)]) }
    }

    #[test]
    fn lines_after_the_step_and_half_lines_are_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let mut metrics = Metrics::open(&path, 0).unwrap();
        for step in [10, 20, 30] {
            metrics.push(line(step, Split::Train, step as f64)).unwrap();
        }
        drop(metrics);
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"step\":40,\"spl").unwrap();
        let mut metrics = Metrics::open(&path, 20).unwrap();
        metrics.push(line(30, Split::Test, 0.5)).unwrap();
        let expected = [line(10, Split::Train, 10.0), line(20, Split::Train, 20.0), line(30, Split::Test, 0.5)];
        assert_eq!(read(&path).unwrap(), expected);
        assert_eq!(metrics.last(), BTreeMap::from([("accuracy".into(), 20.0), ("test_accuracy".into(), 0.5)]));
    }

    #[test]
    fn a_number_that_is_none_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.jsonl");
        let text = "{\"step\":1,\"split\":\"test\",\"loss\":null,\"accuracy\":0.5}\n\
                    {\"step\":2,\"split\":\"train\",\"accuracy\":2.0}\n";
        std::fs::write(&path, text).unwrap();
        assert_eq!(read(&path).unwrap(), [line(1, Split::Test, 0.5), line(2, Split::Train, 2.0)]);
    }
}
