//! From what was named to the list of images in it. A kind of input is one file with a `list` and, where images have no file of
//! their own, a way to read them.

mod folder;
mod parquet;
mod tar;

pub use parquet::Names;
pub use parquet::Rows;
pub use tar::Archives;

use super::item::{Item, Place, Seen};
use crate::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Extensions of files that are taken for images in folders and archives.
const IMAGES: [&str; 6] = ["jpg", "jpeg", "png", "webp", "bmp", "gif"];

/// Extensions of files that are no image and hold some all the same.
const PACKED: [&str; 7] = ["gz", "tgz", "bz2", "xz", "zst", "zip", "7z"];

/// Every image of the inputs, in an order that depends on names alone.
///
/// # Errors
/// [`Error::Io`] for an input that cannot be read, [`Error::Input`] for one that holds no image.
pub fn list(inputs: &[PathBuf], names: &Names) -> Result<Vec<Item>, Error> {
    let mut items = Vec::new();
    for input in inputs {
        let before = items.len();
        let metadata = fs::metadata(input).map_err(|source| io(input, source))?;
        match extension(input).as_str() {
            _ if metadata.is_dir() => folder::list(input, &mut items)?,
            "parquet" => parquet::list(input, Seen::of(&metadata), names, &mut items)?,
            "tar" => tar::list(input, Seen::of(&metadata), &mut items)?,
            packed if PACKED.contains(&packed) => {
                return Err(Error::Input { path: input.clone(), reason: "is compressed; unpack it first".into() });
            }
            _ => items.push(file(input, None, Seen::of(&metadata))),
        }
        if items.len() == before {
            let reason = format!("holds no image; images end in {}", IMAGES.join(", "));
            return Err(Error::Input { path: input.clone(), reason });
        }
    }
    Ok(items)
}

/// An image that is a file.
fn file(path: &Path, label: Option<Arc<str>>, seen: Seen) -> Item {
    Item { id: path.display().to_string(), label, place: Place::File(path.into()), seen }
}

/// The lower-case extension of a path.
fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase()
}

/// Whether a path looks like an image, and not like one of the files that systems hide.
fn is_image(path: &Path) -> bool {
    !path.file_name().is_none_or(is_hidden) && IMAGES.contains(&extension(path).as_str())
}

/// Whether a file or a folder is one that systems and programs hide, such as `.ipynb_checkpoints` with copies of what is beside it.
fn is_hidden(name: &OsStr) -> bool {
    name.to_string_lossy().starts_with('.')
}

fn io(path: &Path, source: std::io::Error) -> Error {
    Error::Io { action: "read", path: path.to_owned(), source }
}
