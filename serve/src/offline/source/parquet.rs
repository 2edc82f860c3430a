//! Parquet files of images: a column of bytes, or the struct `{bytes, path}` that Hugging Face's data sets have.

use crate::Error;
use crate::columns::Columns;
use crate::offline::item::{Item, Place, Seen};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

/// Metadata in which Hugging Face's data sets describe their columns.
const DESCRIPTION: &str = "huggingface";

/// Names of the columns that hold images and their classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The column of images.
    pub image: String,
    /// The column of classes, which may be missing.
    pub label: String,
}

impl Default for Names {
    fn default() -> Self {
        Self { image: "image".into(), label: "label".into() }
    }
}

impl Names {
    fn find_image(&self, columns: &Columns) -> Option<usize> {
        columns.find(&format!("{}.bytes", self.image)).or_else(|| columns.find(&self.image))
    }
}

/// Adds an image for each row.
pub fn list(path: &Path, seen: Seen, names: &Names, items: &mut Vec<Item>) -> Result<(), Error> {
    let columns = Columns::open(path)?;
    image(&columns, path, names)?;
    let labels = match columns.find(&names.label) {
        Some(column) => columns.texts(column)?,
        None => vec![None; columns.rows()],
    };
    let classes = classes(&columns, &names.label);
    let class = |text: &String| text.parse::<usize>().ok().and_then(|index| classes.get(index)).unwrap_or(text).clone();
    let file: Arc<Path> = path.into();
    for (row, label) in labels.iter().enumerate() {
        let id = format!("{}:{row}", path.display());
        let label = label.as_ref().map(|text| class(text).into());
        items.push(Item { id, label, place: Place::Parquet { file: file.clone(), row }, seen });
    }
    Ok(())
}

/// Names of the classes, where the file describes its label as a number with names.
fn classes(columns: &Columns, label: &str) -> Vec<String> {
    let description = columns.metadata().remove(DESCRIPTION).and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let names = description.as_ref().map(|description| &description["info"]["features"][label]["names"]);
    names.and_then(|names| serde_json::from_value(names.clone()).ok()).unwrap_or_default()
}

fn image(columns: &Columns, path: &Path, names: &Names) -> Result<usize, Error> {
    names.find_image(columns).ok_or_else(|| Error::Input {
        path: path.to_owned(),
        reason: format!("has no column \"{}\" of images, but {}", names.image, columns.names()),
    })
}

/// Reads images of Parquet files; the file of the last one stays open.
pub struct Rows {
    names: Names,
    open: Option<(Arc<Path>, Columns)>,
}

impl Rows {
    /// A reader for files with these columns.
    pub fn new(names: Names) -> Self {
        Self { names, open: None }
    }

    /// The bytes of `count` rows from row `first` on; nothing for a row without an image.
    pub fn read(&mut self, file: &Arc<Path>, first: usize, count: usize) -> Result<Vec<Option<Vec<u8>>>, Error> {
        let columns = match self.open.take() {
            Some((path, columns)) if path == *file => columns,
            _ => Columns::open(file)?,
        };
        let found = columns.bytes(image(&columns, file, &self.names)?, first, count);
        self.open = Some((file.clone(), columns));
        found
    }
}
