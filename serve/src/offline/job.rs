//! A job from its options to its report.

use super::item::Item;
use super::output::{self, Format};
use super::parts::Parts;
use super::record::{Answer, Record};
use super::source::{self, Names};
use super::{Shard, infer};
use crate::stamp::Stamp;
use crate::{Error, Model};
use std::path::PathBuf;

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Images, folders, tar files and Parquet files.
    pub inputs: Vec<PathBuf>,
    /// The file to write; its extension decides the form.
    pub out: PathBuf,
    /// What to ask the model.
    pub task: Task,
    /// Which share of the images.
    pub shard: Shard,
    /// Columns of Parquet files.
    pub names: Names,
    /// Most images that the runtime gets at once.
    pub batch_size: usize,
    /// Whether images that cannot be used are left out; otherwise the first one ends the job.
    pub skip_damaged: bool,
    /// Whether a small JPEG of each image goes into the output.
    pub thumbnails: bool,
}

/// What to ask the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Its embedding.
    Embed,
    /// The best classes.
    Classify {
        /// How many.
        top_k: usize,
    },
}

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Images that are done, those of an interrupted run included.
    pub done: usize,
    /// All images.
    pub all: usize,
}

/// What a job did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Images in the output.
    pub images: usize,
    /// Images that an interrupted run had done before.
    pub resumed: usize,
    /// Images that were left out, with the reason of each.
    pub damaged: Vec<(String, String)>,
}

/// Does the job. An interrupted one goes on where it was, when it is started with the same options.
///
/// # Errors
/// The model does not give what is asked for, an input cannot be read, an image cannot be used and
/// [`Job::skip_damaged`] is off, or the output exists already or cannot be written.
pub fn run(model: &Model, job: &Job, progress: &mut dyn FnMut(Progress)) -> Result<Report, Error> {
    let format = job.check(model)?;
    let items = source::list(&job.inputs, &job.names)?;
    let items = job.shard.of(&items);
    let stamp = Stamp::of(model);
    let parts = Parts::open(model, job, items)?;
    let missing = parts.missing(job.skip_damaged)?;
    let mut state =
        Progress { done: items.len() - missing.iter().map(|part| part.items.len()).sum::<usize>(), all: items.len() };
    let resumed = state.done;
    progress(state);
    infer::run(model, job, &missing, |part, records| {
        parts.write(part, records)?;
        state.done += records.len();
        progress(state);
        Ok(())
    })?;
    let mut report = Report { resumed, ..Report::default() };
    output::write(job, format, model, &stamp, parts.records().inspect(|record| report.count(record)))?;
    parts.remove()?;
    Ok(report)
}

impl Job {
    /// Checks what can be checked before any image is read, and finds the form of the output.
    fn check(&self, model: &Model) -> Result<Format, Error> {
        let option = |option, reason: &str| Err(Error::Option { option, reason: reason.to_owned() });
        if self.batch_size == 0 {
            return option("batch_size", "is 0; it must be at least 1");
        }
        if self.task == (Task::Classify { top_k: 0 }) {
            return option("top_k", "is 0; it must be at least 1");
        }
        let gives = match self.task {
            Task::Embed => model.embedding_width().is_some(),
            Task::Classify { .. } => model.labels().is_some(),
        };
        if !gives {
            let what = if self.task == Task::Embed { "embedding" } else { "class scores" };
            let reason = format!("it gives no {what}; see its card with `selfie inspect`");
            return Err(Error::ModelFile { path: model.file.path.clone(), reason });
        }
        output::check(self)
    }
}

impl Report {
    fn count(&mut self, record: &Result<Record, Error>) {
        match record {
            Ok(Record { id, answer: Answer::Damaged(reason), .. }) => self.damaged.push((id.clone(), reason.clone())),
            Ok(_) => self.images += 1,
            Err(_) => {}
        }
    }
}

/// A part of the items: some batches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    /// Which one.
    pub index: usize,
    /// Its items.
    pub items: &'a [Item],
}
