//! Parquet files as Hugging Face writes them: a column of images, each bytes and a path, and one of labels.

use super::catalog::Catalog;
use super::image_files::{file_name, walk};
use super::marks::{Classes, Mark};
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
    /// None where the files have no labels.
    mark: Option<Mark>,
}

/// What stands in the place of a label that is not given away, as in the test images of ImageNet.
const WITHHELD: Mark = Mark::Number(-1);

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
    leave_out_unlabelled_test(&mut catalog, &mut rows);
    let classes = Classes::of(rows.iter().filter_map(|row| row.mark.as_ref()), columns.and_then(|found| found.names));
    let labelled = rows.iter().any(|row| row.mark.is_some());
    for Entry { split, file, offset, len, row, mark } in rows {
        let origin = Origin::Entry { store: store.clone(), offset, len, name: EntryName::Row(row) };
        let mut sample = Sample { file, origin, label: 0 };
        if let Some(mark) = mark {
            let problem = |problem| DataError::Format { file: sample.name(), problem };
            sample.label = classes.label(&mark).map_err(problem)?;
        }
        catalog.split_mut(split).push(sample);
    }
    if labelled {
        classes.name(&mut catalog)?;
    }
    Ok(catalog)
}

/// Drops the test images where all of their labels are withheld: nothing can be measured on them.
fn leave_out_unlabelled_test(catalog: &mut Catalog, rows: &mut Vec<Entry>) {
    let is_test = |row: &Entry| row.split == SplitName::Test;
    let count = rows.iter().filter(|row| is_test(row)).count();
    let withheld = rows.iter().filter(|row| is_test(row)).all(|row| row.mark.as_ref() == Some(&WITHHELD));
    if count > 0 && count < rows.len() && withheld {
        rows.retain(|row| !is_test(row));
        catalog.notices.push(format!(
            "{count} test images of {} have the label -1, that is none; they are left out",
            catalog.name
        ));
    }
}

/// The file, or all `.parquet` files of the folder at any depth.
fn shards(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut found = Vec::new();
    match path.is_file() {
        true => found.push(path.to_owned()),
        false => walk(path, &mut |file| {
            found.extend(file.extension().is_some_and(|ending| ending == "parquet").then(|| file.to_owned()));
            Ok(())
        })?,
    }
    if found.is_empty() {
        let problem = "there is no file in it that ends with .parquet".to_owned();
        return Err(DataError::Format { file: path.display().to_string(), problem });
    }
    Ok(found)
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
    columns.check_compression(reader.metadata()).map_err(problem)?;
    for (row, record) in reader.get_row_iter(Some(projection)).map_err(unreadable)?.enumerate() {
        let record = record.map_err(unreadable)?;
        let mark = match &columns.label {
            Some(column) => {
                let label = field(&record, column).unwrap_or(&Field::Null);
                let reason = || problem(format!("row {row} has no label in {column}, but {label}"));
                Some(self::mark(label).ok_or_else(reason)?)
            }
            None => None,
        };
        // A row without bytes becomes an image without bytes, which is damaged as others are.
        let bytes = image(&record, &columns.image).unwrap_or_default();
        let offset = writer.push(bytes)?;
        rows.push(Entry { split, file: file.clone(), offset, len: bytes.len(), row, mark });
    }
    Ok(columns)
}

fn field<'a>(row: &'a Row, name: &str) -> Option<&'a Field> {
    row.get_column_iter().find(|(column, _)| *column == name).map(|(_, field)| field)
}

fn mark(label: &Field) -> Option<Mark> {
    let number = match label {
        Field::Bool(value) => i64::from(*value),
        Field::Byte(value) => i64::from(*value),
        Field::Short(value) => i64::from(*value),
        Field::Int(value) => i64::from(*value),
        Field::Long(value) => *value,
        Field::UByte(value) => i64::from(*value),
        Field::UShort(value) => i64::from(*value),
        Field::UInt(value) => i64::from(*value),
        Field::ULong(value) => i64::try_from(*value).ok()?,
        // What numbers become in a table that once lacked some.
        Field::Float(value) if value.fract() == 0.0 => *value as i64,
        Field::Double(value) if value.fract() == 0.0 => *value as i64,
        Field::Str(name) => return Some(Mark::Name(name.clone())),
        _ => return None,
    };
    Some(Mark::Number(number))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_whole_numbers_yes_or_no_or_names() {
        let cases = [
            (Field::Bool(true), Some(Mark::Number(1))),
            (Field::UByte(7), Some(Mark::Number(7))),
            (Field::Double(3.0), Some(Mark::Number(3))),
            (Field::Str("cat".into()), Some(Mark::Name("cat".into()))),
            (Field::Float(0.5), None),
            (Field::Double(f64::NAN), None),
            (Field::Null, None),
        ];
        for (label, expected) in cases {
            assert_eq!(mark(&label), expected, "{label}");
        }
    }
}
