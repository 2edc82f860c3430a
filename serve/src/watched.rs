//! Files that may be replaced while the server runs, looked at from time to time.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Files, and what they were when they were looked at last.
pub struct Watched {
    paths: Vec<PathBuf>,
    stamps: Vec<Option<Stamp>>,
    looked: Instant,
}

/// What changes when a file does.
type Stamp = (u64, Option<SystemTime>);

impl Watched {
    /// The files as they are now.
    pub fn new(paths: impl IntoIterator<Item = PathBuf>) -> Self {
        let mut watched = Self { paths: paths.into_iter().collect(), stamps: Vec::new(), looked: Instant::now() };
        watched.stamps = watched.stamps();
        watched
    }

    /// Whether a file has changed since it was asked last. Between two looks it takes all for unchanged.
    pub fn have_changed(&mut self) -> bool {
        if self.looked.elapsed() < LOOK_EVERY {
            return false;
        }
        self.looked = Instant::now();
        let stamps = self.stamps();
        let have_changed = stamps != self.stamps;
        self.stamps = stamps;
        have_changed
    }

    /// Takes the files for changed at the next look, since what they hold could not be used.
    pub fn look_again(&mut self) {
        self.stamps.clear();
    }

    /// A file that cannot be looked at has none.
    fn stamps(&self) -> Vec<Option<Stamp>> {
        let stamp = |path: &PathBuf| fs::metadata(path).ok().map(|metadata| (metadata.len(), metadata.modified().ok()));
        self.paths.iter().map(stamp).collect()
    }

    /// As if the files had been looked at long ago, or just now however long a test takes.
    #[cfg(test)]
    pub fn looked(&mut self, long_ago: bool) {
        let now = Instant::now();
        self.looked = if long_ago { now.checked_sub(LOOK_EVERY).unwrap() } else { now + 3600 * LOOK_EVERY };
    }
}
