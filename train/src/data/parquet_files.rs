//! Parquet files as Hugging Face writes them: a column of images, each bytes and a path, and one of labels.

use super::catalog::Catalog;
use super::image_files::{entries, file_name};
use super::parquet_columns::Columns;
use super::reading::Reading;
use super::roots::Roots;
use super::sample::{EntryName, Origin, Sample};
use super::split_name::SplitName;
use super::store::StoreWriter;
use super::{DataError, Place, Source};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) const SOURCE: Source = Source {
    name: "parquet",
    argument: Some("FOLDER|FILE"),
    description: "Parquet files of images and labels as Hugging Face writes them, splits by file names",
    images: None,
    classes: None,
    licence: "yours",
    pinned: false,
    place: |_| Place::Argument,
    catalog,
    fetch: None,
};

/// One image before the store of all is made.
struct Entry {
    split: SplitName,
    file: Arc<str>,
    offset: u64,
    len: usize,
    row: usize,
    label: i64,
}

fn catalog(argument: &str, roots: &Roots, reading: &Reading) -> Result<Catalog, DataError> {
    let mut catalog = Catalog::new(format!("parquet:{argument}"), Vec::new());
    let shards = shards(Path::new(argument))?;
    let names: Vec<String> = shards.iter().map(|path| split_text(path)).collect();
    SplitName::all_or_none(&names.iter().map(String::as_str).collect::<Vec<_>>(), &catalog)?;
    let mut writer = StoreWriter::new(reading.memory_limit(), roots.spill());
    let (mut rows, mut columns) = (Vec::new(), None);
    for (path, name) in shards.iter().zip(&names) {
        let split = SplitName::of(name).unwrap_or(SplitName::Train);
        let found = shard(path, split, &mut writer, &mut rows)?;
        match &columns {
            None => columns = Some(found),
            Some(known) if *known == found => {}
            Some(known) => {
                let problem =
                    format!("its columns or class names differ from those of the other files: {found:?}, {known:?}");
                return Err(DataError::Format { file: path.display().to_string(), problem });
            }
        }
    }
    let store = Arc::new(writer.finish()?);
    for Entry { split, file, offset, len, row, label } in rows {
        let origin = Origin::Entry { store: store.clone(), offset, len, name: EntryName::Row(row) };
        catalog.split_mut(split).push(Sample { file, origin, label });
    }
    match columns {
        Some(Columns { label: Some(_), names: Some(names), .. }) => catalog.labels = names,
        Some(Columns { label: Some(_), names: None, .. }) => catalog.number_classes()?,
        _ => {}
    }
    Ok(catalog)
}

/// The file, or all `.parquet` files of the folder at any depth.
fn shards(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut found = Vec::new();
    match path.is_file() {
        true => found.push(path.to_owned()),
        false => collect(path, &mut found)?,
    }
    if found.is_empty() {
        let problem = "there is no file in it that ends with .parquet".to_owned();
        return Err(DataError::Format { file: path.display().to_string(), problem });
    }
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), DataError> {
    let (files, folders) = entries(folder)?;
    found.extend(files.into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "parquet")));
    folders.iter().try_for_each(|folder| collect(folder, found))
}

/// What names the split: the file, or else its folder.
fn split_text(path: &Path) -> String {
    let file = file_name(path);
    let folder = path.parent().map(file_name).unwrap_or_default();
    match SplitName::of(file) {
        None if SplitName::of(folder).is_some() => folder.to_owned(),
        _ => file.to_owned(),
    }
}

fn shard(path: &Path, split: SplitName, writer: &mut StoreWriter, rows: &mut Vec<Entry>) -> Result<Columns, DataError> {
    let file: Arc<str> = path.display().to_string().into();
    let problem = |problem: String| DataError::Format { file: file.to_string(), problem };
    let unreadable = |error| problem(format!("it is no readable Parquet file, or it is cut off: {error}"));
    let handle = File::open(path).map_err(DataError::io("read", path))?;
    let reader = SerializedFileReader::new(handle).map_err(unreadable)?;
    let columns = Columns::of(reader.metadata().file_metadata()).map_err(problem)?;
    let projection = columns.projection(reader.metadata().file_metadata().schema()).map_err(problem)?;
    for (row, record) in reader.get_row_iter(Some(projection)).map_err(unreadable)?.enumerate() {
        let record = record.map_err(unreadable)?;
        let label = match &columns.label {
            Some(column) => integer(&record, column).ok_or_else(|| problem(format!("row {row} has no label")))?,
            None => 0,
        };
        // A row without bytes becomes an image without bytes, which is damaged as others are.
        let bytes = image(&record, &columns.image).unwrap_or_default();
        let offset = writer.push(bytes)?;
        rows.push(Entry { split, file: file.clone(), offset, len: bytes.len(), row, label });
    }
    Ok(columns)
}

fn field<'a>(row: &'a Row, name: &str) -> Option<&'a Field> {
    row.get_column_iter().find(|(column, _)| *column == name).map(|(_, field)| field)
}

fn integer(row: &Row, column: &str) -> Option<i64> {
    match *field(row, column)? {
        Field::Byte(value) => Some(value.into()),
        Field::Short(value) => Some(value.into()),
        Field::Int(value) => Some(value.into()),
        Field::Long(value) => Some(value),
        Field::UByte(value) => Some(value.into()),
        Field::UShort(value) => Some(value.into()),
        Field::UInt(value) => Some(value.into()),
        Field::ULong(value) => i64::try_from(value).ok(),
        _ => None,
    }
}

fn image<'a>(row: &'a Row, column: &str) -> Option<&'a [u8]> {
    match field(row, column)? {
        Field::Group(parts) => match field(parts, "bytes")? {
            Field::Bytes(bytes) => Some(bytes.data()),
            _ => None,
        },
        Field::Bytes(bytes) => Some(bytes.data()),
        _ => None,
    }
}
