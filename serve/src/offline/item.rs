//! One image that is to be looked at, and where its bytes are.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// One image.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its name in the output.
    pub id: String,
    /// Its class, if the input tells one.
    pub label: Option<Arc<str>>,
    /// Where its bytes are.
    pub place: Place,
    /// State of the file that holds it.
    pub seen: Seen,
}

/// Where the bytes of an image are.
#[derive(Clone, Debug)]
pub enum Place {
    /// A file of its own.
    File(Arc<Path>),
    /// A stretch of a tar file.
    Tar {
        /// The tar file.
        file: Arc<Path>,
        /// First byte.
        offset: u64,
        /// Number of bytes.
        len: u64,
    },
    /// A row of a Parquet file.
    Parquet {
        /// The Parquet file.
        file: Arc<Path>,
        /// Which row.
        row: usize,
    },
}

/// What changes when a file does: its length and its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Length in bytes.
    pub len: u64,
    /// Time of the last change in nanoseconds of Unix time.
    pub modified_ns: u128,
}

impl Seen {
    /// The state in a file's metadata.
    pub fn of(metadata: &std::fs::Metadata) -> Self {
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let modified_ns = modified.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        Self { len: metadata.len(), modified_ns }
    }
}
