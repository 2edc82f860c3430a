//! From items to records: one thread reads and decodes the next batch, on all processors, while the runtime has this one.

use super::item::{Item, Place};
use super::job::{Job, Part, Task};
use super::record::{Answer, Blob, Class, Record};
use super::source::{Archives, Rows};
use super::thumbnail::thumbnail;
use crate::model::Row;
use crate::model::row::best;
use crate::preprocess::Pixels;
use crate::{Error, Model};
use rayon::prelude::*;
use std::fs;
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

/// Batches that wait for the runtime.
const AHEAD: usize = 2;

/// An image that is ready for the model.
struct Prepared {
    pixels: Pixels,
    thumbnail: Option<Blob>,
}

/// The bytes of an image, or where they are to be had without waiting for others.
enum Encoded {
    File(Arc<Path>),
    Bytes(Vec<u8>),
    Nothing,
}

/// One batch of a part.
type Batch = Vec<Result<Prepared, String>>;

/// Asks the model about every item of the parts and hands on the records of each part.
pub fn run(
    model: &Model,
    job: &Job,
    parts: &[Part<'_>],
    mut done: impl FnMut(Part<'_>, &[Record]) -> Result<(), Error>,
) -> Result<(), Error> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(AHEAD);
        scope.spawn(move || prepare(model, job, parts, &sender));
        for part in parts {
            let mut records = Vec::with_capacity(part.items.len());
            for items in part.items.chunks(job.batch_size) {
                let lost = || Error::Server { reason: "the thread that decodes images has ended".into() };
                let batch = receiver.recv().map_err(|_| lost())??;
                records.extend(ask(model, job, items, batch)?);
            }
            done(*part, &records)?;
        }
        Ok(())
    })
}

/// Prepares batch after batch until nobody wants them any more.
fn prepare(model: &Model, job: &Job, parts: &[Part<'_>], sender: &SyncSender<Result<Batch, Error>>) {
    let mut reader = Reader { archives: Archives::default(), rows: Rows::new(job.names.clone()) };
    for items in parts.iter().flat_map(|part| part.items.chunks(job.batch_size)) {
        let batch = reader.read(items).and_then(|encoded| decode(model, job, items, encoded));
        let failed = batch.is_err();
        if sender.send(batch).is_err() || failed {
            return;
        }
    }
}

fn decode(model: &Model, job: &Job, items: &[Item], encoded: Vec<Encoded>) -> Result<Batch, Error> {
    let one = |encoded: Encoded| -> Result<Result<Prepared, String>, Error> {
        let bytes = match encoded {
            Encoded::Bytes(bytes) => bytes,
            Encoded::File(path) => match fs::read(&path) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Err("is missing".into())),
                Err(source) => return Err(Error::Io { action: "read", path: path.to_path_buf(), source }),
            },
            Encoded::Nothing => return Ok(Err("is missing".into())),
        };
        // A panic in a decoder must cost one image, not the job.
        let prepared = catch_unwind(AssertUnwindSafe(|| prepared(model, job, &bytes)));
        Ok(prepared.unwrap_or_else(|_| Err("made its decoder fail".into())))
    };
    let batch: Vec<_> = encoded.into_par_iter().map(one).collect::<Result<_, _>>()?;
    let damaged = items.iter().zip(&batch).find_map(|(item, one)| one.as_ref().err().map(|reason| (item, reason)));
    match damaged {
        Some((item, reason)) if !job.skip_damaged => {
            Err(Error::Damaged { id: item.id.clone(), reason: reason.clone() })
        }
        _ => Ok(batch),
    }
}

fn prepared(model: &Model, job: &Job, bytes: &[u8]) -> Result<Prepared, String> {
    let reason = |error: Error| match error {
        Error::Image { reason, .. } => reason,
        other => other.to_string(),
    };
    let pixels = model.preprocessor.item(bytes).map_err(reason)?;
    let small = || thumbnail(bytes, model.preprocessor.reading().max_pixels).map(Blob).map_err(reason);
    Ok(Prepared { pixels, thumbnail: job.thumbnails.then(small).transpose()? })
}

/// Runs a batch: what the model says about each item.
fn ask(model: &Model, job: &Job, items: &[Item], batch: Batch) -> Result<Vec<Record>, Error> {
    let (mut pixels, mut thumbnails) = (Vec::new(), Vec::new());
    for one in batch {
        thumbnails.push(one.map(|prepared| {
            pixels.push(prepared.pixels);
            prepared.thumbnail
        }));
    }
    let failed = |reason| Error::Backend { model: model.card().name.clone(), reason };
    let mut rows = model.spread(&pixels).map_err(failed)?.into_iter();
    let records = items.iter().zip(thumbnails).map(|(item, thumbnail)| {
        let (id, label) = (item.id.clone(), item.label.as_deref().map(str::to_owned));
        let (answer, thumbnail) = match thumbnail {
            Err(reason) => (Answer::Damaged(reason), None),
            Ok(thumbnail) => {
                let row = rows.next().filter(Row::is_finite);
                let row = row.ok_or_else(|| failed(format!("{id} gives a number that is not finite")))?;
                (answer(model, job.task, &row), thumbnail)
            }
        };
        Ok(Record { id, label, answer, thumbnail })
    });
    records.collect()
}

fn answer(model: &Model, task: Task, row: &Row) -> Answer {
    match task {
        Task::Embed => Answer::Vector(Blob::of_floats(model.embedding(row).unwrap_or_default())),
        Task::Classify { top_k } => {
            let labels = model.labels().unwrap_or_default();
            let best = best(model.logits(row).unwrap_or_default(), top_k).into_iter();
            Answer::Classes(
                best.map(|(index, probability)| Class { class: labels[index].clone(), index, probability }).collect(),
            )
        }
    }
}

/// What has open files between two batches.
struct Reader {
    archives: Archives,
    rows: Rows,
}

impl Reader {
    /// The bytes of the items of a batch. Files of one image are left to those who decode.
    fn read(&mut self, items: &[Item]) -> Result<Vec<Encoded>, Error> {
        let mut found = Vec::with_capacity(items.len());
        while let Some(item) = items.get(found.len()) {
            match &item.place {
                Place::File(path) => found.push(Encoded::File(path.clone())),
                Place::Tar { file, offset, len } => {
                    found.push(Encoded::Bytes(self.archives.read(file, *offset, *len)?));
                }
                Place::Parquet { file, row } => {
                    // Rows that follow each other in one file are read at once.
                    let rest = items[found.len()..].iter().enumerate();
                    let follows = |(after, item): &(usize, &Item)| matches!(&item.place, Place::Parquet { file: other, row: found } if other == file && *found == row + after);
                    let count = rest.take_while(follows).count();
                    let bytes = self.rows.read(file, *row, count)?.into_iter();
                    found.extend(bytes.map(|bytes| bytes.map_or(Encoded::Nothing, Encoded::Bytes)));
                }
            }
        }
        Ok(found)
    }
}
