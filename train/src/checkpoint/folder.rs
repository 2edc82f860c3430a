//! Folders that are whole or not there at all.

use crate::Error;
use std::fs::File;
use std::path::{Path, PathBuf};

const UNFINISHED: &str = "tmp-";

/// Fills a folder under another name, makes sure that it is on the disk, and renames it.
pub(super) fn write(parent: &Path, name: &str, fill: impl FnOnce(&Path) -> Result<(), Error>) -> Result<(), Error> {
    let (unfinished, finished) = (parent.join(format!("{UNFINISHED}{name}")), parent.join(name));
    remove(&unfinished)?;
    std::fs::create_dir_all(&unfinished).map_err(Error::io("cannot make the folder", &unfinished))?;
    let written = fill(&unfinished).and_then(|()| {
        remove(&finished)?;
        std::fs::rename(&unfinished, &finished).map_err(Error::io("cannot rename to", &finished))?;
        File::open(parent).and_then(|file| file.sync_all()).map_err(Error::io("cannot write", parent))
    });
    if written.is_err() {
        // A full disk gets its room back; why it failed is of more interest than whether this works.
        let _ = remove(&unfinished);
    }
    written
}

/// Makes sure that a file is on the disk.
pub(super) fn sync(path: &Path) -> Result<(), Error> {
    File::open(path).and_then(|file| file.sync_all()).map_err(Error::io("cannot write", path))
}

/// The folders whose names are a prefix and a step, in the order of their steps.
pub(super) fn list(parent: &Path, prefix: &str) -> Result<Vec<(u64, PathBuf)>, Error> {
    if !parent.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(parent).map_err(Error::io("cannot read the folder", parent))?;
    let mut found: Vec<(u64, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let step = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((step, entry.path()))
        })
        .collect();
    found.sort();
    Ok(found)
}

/// Removes a folder, if it is there.
pub(super) fn remove(folder: &Path) -> Result<(), Error> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io("cannot remove the folder", folder)(error))
        }
        _ => Ok(()),
    }
}
