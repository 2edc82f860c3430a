//! The parts of a job that are done, each in a file of its own: what makes an interrupted job go on.
//!
//! `<out>.parts/<index>.jsonl` holds a digest of everything that its records depend on, and the records, one a line. A file with
//! another digest is made again.

use super::item::Item;
use super::job::{Job, Part, Task};
use super::record::{Answer, Record};
use crate::{Error, Model};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// Images of a part, about.
const PART_ITEMS: usize = 256;

/// The parts of one job.
pub struct Parts<'a> {
    folder: PathBuf,
    parts: Vec<Part<'a>>,
    /// Digest of what all parts depend on.
    common: Sha256,
}

impl<'a> Parts<'a> {
    /// Cuts the items into parts, each a number of whole batches, and makes the folder for them.
    pub fn open(model: &Model, job: &Job, items: &'a [Item]) -> Result<Self, Error> {
        let folder = beside(&job.out, ".parts");
        fs::create_dir_all(&folder).map_err(|source| Error::Io { action: "make", path: folder.clone(), source })?;
        let batches = (PART_ITEMS / job.batch_size).max(1);
        let parts = items.chunks(batches.saturating_mul(job.batch_size)).enumerate();
        let parts = parts.map(|(index, items)| Part { index, items }).collect();
        Ok(Self { folder, parts, common: common(model, job) })
    }

    /// The parts that are to do.
    pub fn missing(&self, skip_damaged: bool) -> Result<Vec<Part<'a>>, Error> {
        let mut missing = Vec::new();
        for part in &self.parts {
            if !self.is_done(part, skip_damaged)? {
                missing.push(*part);
            }
        }
        Ok(missing)
    }

    /// Keeps the records of a part, all or none.
    pub fn write(&self, part: Part<'_>, records: &[Record]) -> Result<(), Error> {
        let path = self.path(part.index);
        let wrong = |source: std::io::Error| Error::Io { action: "write", path: path.clone(), source };
        let mut lines = vec![self.digest(&part)];
        for record in records {
            lines.push(serde_json::to_string(record).map_err(|error| wrong(error.into()))?);
        }
        let text = lines.join("\n");
        let beside = beside(&path, ".new");
        let write = || {
            let mut file = File::create(&beside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, &path)
        };
        write().map_err(wrong)
    }

    /// The records of all parts, in their order.
    pub fn records(&self) -> impl Iterator<Item = Result<Record, Error>> {
        self.parts.iter().flat_map(|part| match self.read(part.index) {
            Ok(records) => records.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        })
    }

    /// Removes the folder; the output is whole.
    pub fn remove(self) -> Result<(), Error> {
        fs::remove_dir_all(&self.folder).map_err(|source| Error::Io { action: "remove", path: self.folder, source })
    }

    fn is_done(&self, part: &Part<'_>, skip_damaged: bool) -> Result<bool, Error> {
        let path = self.path(part.index);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(Error::Io { action: "read", path, source }),
        };
        let mut digest = String::new();
        BufReader::new(file).read_line(&mut digest).map_err(|source| Error::Io {
            action: "read",
            path: path.clone(),
            source,
        })?;
        if digest.trim_end() != self.digest(part) {
            return Ok(false);
        }
        let is_damaged = |record: &Record| matches!(record.answer, Answer::Damaged(_));
        Ok(skip_damaged || !self.read(part.index)?.iter().any(is_damaged))
    }

    fn read(&self, index: usize) -> Result<Vec<Record>, Error> {
        let path = self.path(index);
        let wrong = |source: std::io::Error| Error::Io { action: "read", path: path.clone(), source };
        let text = fs::read_to_string(&path).map_err(wrong)?;
        let records = text.lines().skip(1).map(serde_json::from_str);
        records.collect::<Result<_, _>>().map_err(|error| wrong(error.into()))
    }

    fn path(&self, index: usize) -> PathBuf {
        self.folder.join(format!("{index:06}.jsonl"))
    }

    /// The digest of everything that the records of a part depend on, in hexadecimal.
    fn digest(&self, part: &Part<'_>) -> String {
        let mut digest = self.common.clone();
        for Item { id, label, seen, .. } in part.items {
            for text in [id.as_str(), label.as_deref().unwrap_or_default()] {
                digest.update((text.len() as u64).to_le_bytes());
                digest.update(text);
            }
            digest.update(seen.len.to_le_bytes());
            digest.update(seen.modified_ns.to_le_bytes());
        }
        format!("{:x}", digest.finalize())
    }
}

fn common(model: &Model, job: &Job) -> Sha256 {
    let mut digest = Sha256::new();
    let top_k = match job.task {
        Task::Embed => 0,
        Task::Classify { top_k } => top_k,
    };
    let settings = [job.batch_size, top_k, usize::from(job.thumbnails)];
    digest.update(format!(
        "{} {} {} {} {} {settings:?} {:?} {:?}",
        env!("CARGO_PKG_VERSION"),
        model.file.sha256,
        model.card().to_json().unwrap_or_default(),
        model.choice.runtime,
        model.choice.device,
        job.names,
        model.preprocessor.reading()
    ));
    digest
}

/// `path` with something after its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::pooling;
    use crate::model::{OpenOptions, open};
    use crate::offline::item::{Place, Seen};
    use crate::preprocess::Reading;
    use crate::runtime::Options;

    #[test]
    fn every_option_that_changes_a_record_changes_the_digest() {
        let folder = tempfile::tempdir().unwrap();
        pooling::write(folder.path(), 4).unwrap();
        let place = Place::File(Path::new("a.png").into());
        let items = [Item { id: "a.png".into(), label: None, place, seen: Seen::default() }];
        let digest = |reading: Reading, change: fn(&mut Job)| {
            let runtime = Options { runtime: "tract".into(), ..Options::default() };
            let model = open(folder.path(), &OpenOptions { model: None, runtime, reading }).unwrap();
            let mut job = Job {
                inputs: Vec::new(),
                out: folder.path().join(".jobs/out.jsonl"),
                task: Task::Embed,
                shard: Default::default(),
                names: Default::default(),
                batch_size: 8,
                skip_damaged: false,
                thumbnails: false,
            };
            change(&mut job);
            let parts = Parts::open(&model, &job, &items).unwrap();
            parts.digest(&parts.parts[0])
        };
        let usual = Reading::from(1000);
        let digests = [
            digest(usual, |_| ()),
            digest(Reading { reduced_jpeg: true, ..usual }, |_| ()),
            digest(Reading::from(2000), |_| ()),
            digest(usual, |job| job.thumbnails = true),
            digest(usual, |job| job.task = Task::Classify { top_k: 3 }),
            digest(usual, |job| job.batch_size = 4),
            digest(usual, |job| job.names.image = "picture".into()),
        ];
        for (index, one) in digests.iter().enumerate() {
            assert!(!digests[..index].contains(one), "{index}");
        }
        assert_eq!(digest(usual, |job| job.skip_damaged = true), digests[0], "what was done well stays");
    }
}
