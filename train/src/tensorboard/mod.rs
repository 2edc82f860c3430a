//! The metrics of a run as TensorBoard reads them.
//!
//! The file is a pure function of the lines of metrics and the start of the run, so that a resumed run writes the lines
//! before its step anew and leaves no number twice.

mod event;
mod record;

use crate::Error;
use crate::run::metrics::{Line, Split};
use selfie_models::saved::write_atomically;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The open event file of a run.
#[derive(Debug)]
pub(crate) struct Events {
    path: PathBuf,
    file: File,
    clock: Clock,
}

/// The time of the latest line of training, in seconds since 1970; a line about the test split has none of its own.
#[derive(Debug)]
struct Clock {
    started: f64,
    seconds: f64,
}

impl Events {
    /// Writes the lines so far into the event file of a run folder and leaves it open for more.
    pub(crate) fn open(folder: &Path, started_unix_s: u64, lines: &[Line]) -> Result<Self, Error> {
        // TensorBoard takes every file with "tfevents" in its name.
        let path = folder.join(format!("events.out.tfevents.{started_unix_s}.selfie"));
        let mut clock = Clock { started: started_unix_s as f64, seconds: 0.0 };
        let mut bytes = record::framed(&event::version(clock.started));
        for line in lines {
            bytes.extend(clock.record(line));
        }
        write_atomically(&path, &bytes)?;
        let file = OpenOptions::new().append(true).open(&path).map_err(Error::io("cannot write", &path))?;
        Ok(Self { path, file, clock })
    }

    pub(crate) fn push(&mut self, line: &Line) -> Result<(), Error> {
        self.file.write_all(&self.clock.record(line)).map_err(Error::io("cannot write", &self.path))
    }
}

impl Clock {
    fn record(&mut self, line: &Line) -> Vec<u8> {
        self.seconds = line.values.get("seconds").copied().unwrap_or(self.seconds);
        let group = match line.split {
            Split::Train => "train",
            Split::Test => "test",
        };
        let scalars: Vec<(String, f64)> = (line.values.iter())
            .filter(|(name, _)| *name != "seconds")
            .map(|(name, value)| (format!("{group}/{name}"), *value))
            .collect();
        record::framed(&event::scalars(self.started + self.seconds, line.step, &scalars))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn line(step: u64, split: Split, values: &[(&str, f64)]) -> Line {
        Line { step, split, values: values.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect() }
    }

    #[test]
    fn a_resumed_file_holds_the_same_bytes_as_one_that_was_not_interrupted() {
        let lines = [
            line(10, Split::Train, &[("loss", 1.5), ("seconds", 2.0)]),
            line(10, Split::Test, &[("loss", 1.75)]),
            line(20, Split::Train, &[("loss", 1.0), ("seconds", 4.5)]),
        ];
        let write = |before: &[Line], after: &[Line]| {
            let folder = tempfile::tempdir().unwrap();
            let mut events = Events::open(folder.path(), 1_700_000_000, before).unwrap();
            after.iter().for_each(|line| events.push(line).unwrap());
            std::fs::read(folder.path().join("events.out.tfevents.1700000000.selfie")).unwrap()
        };
        let whole = write(&[], &lines);
        assert_eq!(write(&lines[..2], &lines[2..]), whole);
        let records = record::tests::unframed(&whole);
        assert_eq!(records.len(), 4);
        let scalars: Vec<_> = records[1..].iter().map(|bytes| event::tests::decode(bytes)).collect();
        let expected = [(1_700_000_002.0, 10, "train/loss", 1.5), (1_700_000_002.0, 10, "test/loss", 1.75)];
        for (found, (time, step, tag, value)) in scalars.iter().zip(expected) {
            assert_eq!(*found, (time, step, BTreeMap::from([(tag.to_owned(), value)])));
        }
    }
}
