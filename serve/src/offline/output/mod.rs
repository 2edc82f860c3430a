//! The file that comes out. A form is one file that implements [`Output`] and one line in [`FORMATS`].

mod json_lines;
mod npy;
mod parquet;

pub(crate) use npy::{Ids, ids_path};

use super::job::{Job, Task};
use super::parts::beside;
use super::record::{Answer, Record};
use crate::stamp::Stamp;
use crate::{Error, Model};
use std::fs;
use std::path::{Path, PathBuf};

/// Every form, by its extension.
const FORMATS: &[(&str, Format)] = &[("jsonl", json_lines::open), ("npy", npy::open), ("parquet", parquet::open)];

/// Opens an output of one form at a path.
pub type Format = fn(&Path, &Head<'_>) -> Result<Box<dyn Output>, Error>;

/// What an output knows before the first record.
pub struct Head<'a> {
    /// What the records hold.
    pub task: Task,
    /// Width of the vectors.
    pub width: usize,
    /// Whether the records hold thumbnails.
    pub thumbnails: bool,
    /// Who made them.
    pub stamp: &'a Stamp,
}

/// An output on its way. Records come in their order; none of them is damaged.
pub trait Output {
    /// Adds a record.
    fn push(&mut self, record: Record) -> Result<(), Error>;

    /// Writes what is left and makes sure that it is on the disk.
    ///
    /// Files beside the output are returned with the place that each of them belongs to.
    fn finish(self: Box<Self>) -> Result<Vec<(PathBuf, PathBuf)>, Error>;
}

/// The form of the output, which must not exist yet.
pub fn check(job: &Job) -> Result<Format, Error> {
    let wrong = |reason: String| Error::Output { path: job.out.clone(), reason };
    let extension = job.out.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let Some((_, format)) = FORMATS.iter().find(|(known, _)| *known == extension) else {
        let known: Vec<String> = FORMATS.iter().map(|(extension, _)| format!(".{extension}")).collect();
        return Err(wrong(format!("has no known form; let its name end in {}", known.join(", "))));
    };
    if extension == "npy" && job.task != Task::Embed {
        return Err(wrong("cannot hold names of classes; let its name end in .jsonl or .parquet".into()));
    }
    if extension == "npy" && job.thumbnails {
        return Err(wrong("cannot hold thumbnails; let its name end in .jsonl or .parquet".into()));
    }
    if job.out.exists() {
        return Err(wrong("exists already; remove it or choose another name".into()));
    }
    Ok(*format)
}

/// Writes the records beside the output and puts it in its place when it is whole.
pub fn write(
    job: &Job,
    format: Format,
    model: &Model,
    stamp: &Stamp,
    records: impl Iterator<Item = Result<Record, Error>>,
) -> Result<(), Error> {
    let (task, width, thumbnails) = (job.task, model.embedding_width().unwrap_or(0), job.thumbnails);
    let new = beside(&job.out, ".new");
    let mut output = format(&new, &Head { task, width, thumbnails, stamp })?;
    for record in records {
        let record = record?;
        if !matches!(record.answer, Answer::Damaged(_)) {
            output.push(record)?;
        }
    }
    // The output comes last: where it is, everything is.
    for (from, to) in output.finish()?.into_iter().chain([(new, job.out.clone())]) {
        fs::rename(from, &to).map_err(|source| Error::Io { action: "write", path: to, source })?;
    }
    Ok(())
}

/// An error of writing to `path`.
fn io(path: &Path) -> impl Fn(std::io::Error) -> Error {
    move |source| Error::Io { action: "write", path: path.to_owned(), source }
}
