//! The image files of a folder, at any depth, in the order of their names.

use super::DataError;
use super::decode::EXTENSIONS;
use super::sample::{Origin, Sample};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Endings of images in formats that are not read.
const UNREAD: [&str; 10] = ["avif", "dng", "heic", "heif", "ico", "jp2", "jxl", "psd", "tif", "tiff"];

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

/// Visits every file of a folder, at any depth.
pub(crate) fn walk(folder: &Path, visit: &mut dyn FnMut(&Path) -> Result<(), DataError>) -> Result<(), DataError> {
    walk_from(folder, 0, visit)
}

fn walk_from(
    folder: &Path,
    level: usize,
    visit: &mut dyn FnMut(&Path) -> Result<(), DataError>,
) -> Result<(), DataError> {
    if level > MOST_LEVELS {
        let problem = format!("it lies {MOST_LEVELS} folders deep; is it a link that leads back?");
        return Err(DataError::Format { file: folder.display().to_string(), problem });
    }
    let (files, folders) = entries(folder)?;
    files.iter().try_for_each(|file| visit(file))?;
    folders.iter().try_for_each(|folder| walk_from(folder, level + 1, visit))
}

/// All image files of a folder, at any depth, as samples of a class.
pub(crate) fn samples(folder: &Path, label: i64) -> Result<Vec<Sample>, DataError> {
    let mut found = Vec::new();
    walk(folder, &mut |file| {
        if is_image(file) {
            found.push(sample(file, label)?);
        }
        Ok(())
    })?;
    Ok(found)
}

/// A word about images in a folder, at any depth, that are in a format which is not read.
pub(crate) fn unread(folder: &Path) -> Result<Option<String>, DataError> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    walk(folder, &mut |file| {
        if let Some(ending) = UNREAD.iter().find(|ending| ends_with(file, ending)) {
            *counts.entry(ending).or_default() += 1;
        }
        Ok(())
    })?;
    let found: Vec<String> = counts.iter().map(|(ending, count)| format!("{count} .{ending}")).collect();
    let notice = || format!("{}: images in these formats are not read: {}", folder.display(), found.join(", "));
    Ok((!found.is_empty()).then(notice))
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
    EXTENSIONS.iter().any(|known| ends_with(path, known))
}

fn ends_with(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
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
