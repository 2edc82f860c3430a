//! Bytes of many images in one place: in memory up to a bound, beyond it in a file.

use super::DataError;
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Bytes that can be read from any place, by several threads.
#[derive(Debug)]
pub(crate) enum Store {
    /// In memory.
    Memory(Vec<u8>),
    /// In a file of the data set.
    File(PathBuf),
    /// In a file without a name, which is gone when the process ends, however it ends.
    Spilled(Mutex<File>),
}

impl Store {
    /// `len` bytes from `offset` on.
    pub fn read(&self, offset: u64, len: usize) -> io::Result<Cow<'_, [u8]>> {
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(offset).map_err(io::Error::other)?;
                let part = start.checked_add(len).and_then(|end| bytes.get(start..end));
                part.map(Cow::Borrowed).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
            }
            Self::File(path) => read_at(&mut File::open(path)?, offset, len).map(Cow::Owned),
            Self::Spilled(file) => {
                // Every read seeks first, so that a poisoned lock still guards a sound file.
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                read_at(&mut file, offset, len).map(Cow::Owned)
            }
        }
    }
}

fn read_at(file: &mut File, offset: u64, len: usize) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = vec![0; len];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Collects bytes for a [`Store`].
pub(crate) struct StoreWriter {
    limit: u64,
    /// Where a file is made when memory is full.
    folder: PathBuf,
    len: u64,
    memory: Vec<u8>,
    spilled: Option<BufWriter<File>>,
}

impl StoreWriter {
    /// A writer that holds at most `limit` bytes in memory.
    pub fn new(limit: u64, folder: PathBuf) -> Self {
        Self { limit, folder, len: 0, memory: Vec::new(), spilled: None }
    }

    /// Appends bytes and returns where they start.
    pub fn push(&mut self, bytes: &[u8]) -> Result<u64, DataError> {
        let start = self.len;
        self.len += bytes.len() as u64;
        if self.len > self.limit && self.spilled.is_none() {
            self.spill()?;
        }
        match &mut self.spilled {
            Some(file) => file.write_all(bytes).map_err(DataError::io("write a temporary file in", &self.folder))?,
            None => self.memory.extend_from_slice(bytes),
        }
        Ok(start)
    }

    fn spill(&mut self) -> Result<(), DataError> {
        std::fs::create_dir_all(&self.folder).map_err(DataError::io("create", &self.folder))?;
        let file = tempfile::tempfile_in(&self.folder).map_err(DataError::io("create a file in", &self.folder))?;
        let mut file = BufWriter::new(file);
        let memory = std::mem::take(&mut self.memory);
        file.write_all(&memory).map_err(DataError::io("write a temporary file in", &self.folder))?;
        self.spilled = Some(file);
        Ok(())
    }

    /// The store of everything that was appended.
    pub fn finish(self) -> Result<Store, DataError> {
        match self.spilled {
            Some(file) => {
                let file = file.into_inner().map_err(|error| error.into_error());
                let file = file.map_err(DataError::io("write a temporary file in", &self.folder))?;
                Ok(Store::Spilled(Mutex::new(file)))
            }
            None => Ok(Store::Memory(self.memory)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_whether_it_fits_into_memory_or_not() {
        let folder = tempfile::tempdir().unwrap();
        for limit in [0, 5, 6, 9, 1000] {
            let mut writer = StoreWriter::new(limit, folder.path().join("cache"));
            let starts = [&b"abc"[..], b"def", b"", b"ghi"].map(|part| writer.push(part).unwrap());
            assert_eq!(starts, [0, 3, 6, 6]);
            let store = writer.finish().unwrap();
            assert_eq!(matches!(store, Store::Memory(_)), limit >= 9, "limit {limit}");
            assert_eq!(&*store.read(3, 6).unwrap(), b"defghi", "limit {limit}");
            assert_eq!(&*store.read(0, 3).unwrap(), b"abc", "limit {limit}");
            assert!(store.read(7, 3).is_err(), "limit {limit}");
        }
        let left = std::fs::read_dir(folder.path().join("cache")).unwrap().count();
        assert_eq!(left, 0, "a temporary file has a name");
    }
}
