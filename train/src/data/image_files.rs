//! The image files of a folder, at any depth, in the order of their names.

use super::DataError;
use super::decode::EXTENSIONS;
use super::sample::{Origin, Sample};
use std::fs;
use std::path::{Path, PathBuf};

/// Folders inside of folders beyond this are a link that leads back.
const MOST_LEVELS: usize = 40;

/// Names of the files and of the folders in a folder, sorted; what starts with a dot is left out.
pub(crate) fn entries(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>), DataError> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(DataError::io("read", folder))? {
        let entry = entry.map_err(DataError::io("read", folder))?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort_unstable();
    folders.sort_unstable();
    Ok((files, folders))
}

/// All image files of a folder, at any depth, as samples of a class.
pub(crate) fn samples(folder: &Path, label: i64) -> Result<Vec<Sample>, DataError> {
    let mut found = Vec::new();
    collect(folder, label, 0, &mut found)?;
    Ok(found)
}

fn collect(folder: &Path, label: i64, level: usize, found: &mut Vec<Sample>) -> Result<(), DataError> {
    if level > MOST_LEVELS {
        let problem = format!("it lies {MOST_LEVELS} folders deep; is it a link that leads back?");
        return Err(DataError::Format { file: folder.display().to_string(), problem });
    }
    let (files, folders) = entries(folder)?;
    for file in files.iter().filter(|file| is_image(file)) {
        found.push(sample(file, label)?);
    }
    folders.iter().try_for_each(|folder| collect(folder, label, level + 1, found))
}

/// An image file as a sample of a class.
pub(crate) fn sample(path: &Path, label: i64) -> Result<Sample, DataError> {
    let name = path.to_str().ok_or_else(|| DataError::Format {
        file: path.display().to_string(),
        problem: "its name is no UTF-8; rename it".to_owned(),
    })?;
    Ok(Sample { file: name.into(), origin: Origin::File, label })
}

/// Whether a file is an image by its ending.
pub(crate) fn is_image(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    EXTENSIONS.iter().any(|known| ending.eq_ignore_ascii_case(known))
}

/// The name of a file or folder, without what leads to it.
pub(crate) fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Refuses what is no folder.
pub(crate) fn check_folder(folder: &Path) -> Result<(), DataError> {
    match folder.is_dir() {
        true => Ok(()),
        false => {
            Err(DataError::Format { file: folder.display().to_string(), problem: "there is no such folder".to_owned() })
        }
    }
}

/// The error of a folder without images.
pub(crate) fn no_images(folder: &Path) -> DataError {
    DataError::Format {
        file: folder.display().to_string(),
        problem: format!("there is no image in it; files that end with .{} are read", EXTENSIONS.join(", .")),
    }
}
