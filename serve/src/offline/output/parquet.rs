//! Parquet: a row for each image, the model in the key-value metadata.
//!
//! | task | columns |
//! |---|---|
//! | embed | `id`, `label`, `vector` (list of 32-bit floats, all of one width), `thumbnail` |
//! | classify | `id`, `label`, `class`, `probability`, `top` (list of `{class, probability}`), `thumbnail` |

use super::{Head, Output, io};
use crate::Error;
use crate::offline::job::Task;
use crate::offline::record::{Answer, Blob, Record};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, FloatType};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows of a row group.
const GROUP_ROWS: usize = 4096;

/// Metadata with the width of the vectors.
const WIDTH: &str = "selfie.width";

const VECTOR: &str = "required group vector (LIST) { repeated group list { required float element; } }";
const CLASSES: &str = "required binary class (STRING); required float probability;
    required group top (LIST) { repeated group list { required group element {
        required binary class (STRING); required float probability; } } }";
const THUMBNAIL: &str = "required binary thumbnail;";

struct Rows {
    path: PathBuf,
    writer: SerializedFileWriter<File>,
    task: Task,
    thumbnails: bool,
    records: Vec<Record>,
}

/// Opens an output.
pub fn open(path: &Path, head: &Head<'_>) -> Result<Box<dyn Output>, Error> {
    let (answer, width) = match head.task {
        Task::Embed => (VECTOR, Some((WIDTH, head.width.to_string()))),
        Task::Classify { .. } => (CLASSES, None),
    };
    let thumbnail = if head.thumbnails { THUMBNAIL } else { "" };
    let schema = format!(
        "message images {{ required binary id (STRING); optional binary label (STRING); {answer} {thumbnail} }}"
    );
    let pairs = head.stamp.pairs().into_iter().chain(width);
    let pairs = pairs.map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect();
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("selfie ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_key_value_metadata(Some(pairs));
    // Neither of them repeats, and neither gets smaller.
    for column in [vec!["vector", "list", "element"], vec!["thumbnail"]] {
        let column = ColumnPath::new(column.into_iter().map(str::to_owned).collect());
        properties = properties
            .set_column_compression(column.clone(), Compression::UNCOMPRESSED)
            .set_column_dictionary_enabled(column, false);
    }
    let file = File::create(path).map_err(io(path))?;
    let schema = parse_message_type(&schema).map_err(|error| broken(path, error))?;
    let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties.build()))
        .map_err(|error| broken(path, error))?;
    let (task, thumbnails, records) = (head.task, head.thumbnails, Vec::new());
    Ok(Box::new(Rows { path: path.to_owned(), writer, task, thumbnails, records }))
}

impl Output for Rows {
    fn push(&mut self, record: Record) -> Result<(), Error> {
        self.records.push(record);
        if self.records.len() == GROUP_ROWS { self.group().map_err(|error| broken(&self.path, error)) } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<Vec<(PathBuf, PathBuf)>, Error> {
        let path = self.path.clone();
        let finish = || {
            if !self.records.is_empty() {
                self.group()?;
            }
            self.writer.into_inner()
        };
        let file = finish().map_err(|error| broken(&path, error))?;
        file.sync_all().map_err(io(&path))?;
        Ok(Vec::new())
    }
}

impl Rows {
    /// Writes the records that wait as one row group, column by column.
    fn group(&mut self) -> ParquetResult<()> {
        let records = std::mem::take(&mut self.records);
        let mut group = self.writer.next_row_group()?;
        let ids: Vec<ByteArray> = records.iter().map(|record| text(&record.id)).collect();
        column::<ByteArrayType>(&mut group, &ids, None, None)?;
        let labels: Vec<ByteArray> = records.iter().filter_map(|record| record.label.as_deref().map(text)).collect();
        let defined: Vec<i16> = records.iter().map(|record| i16::from(record.label.is_some())).collect();
        column::<ByteArrayType>(&mut group, &labels, Some(&defined), None)?;
        match self.task {
            Task::Embed => vectors(&mut group, &records)?,
            Task::Classify { .. } => classes(&mut group, &records)?,
        }
        if self.thumbnails {
            let bytes = |record: &Record| record.thumbnail.as_ref().map(|Blob(bytes)| bytes.clone());
            let jpegs: Vec<ByteArray> = records.iter().map(|record| bytes(record).unwrap_or_default().into()).collect();
            column::<ByteArrayType>(&mut group, &jpegs, None, None)?;
        }
        group.close().map(|_| ())
    }
}

fn vectors(group: &mut SerializedRowGroupWriter<'_, File>, records: &[Record]) -> ParquetResult<()> {
    let (mut values, mut repeated) = (Vec::new(), Vec::new());
    for record in records {
        if let Answer::Vector(vector) = &record.answer {
            let vector = vector.floats();
            repeated.extend(begins(vector.len()));
            values.extend(vector);
        }
    }
    column::<FloatType>(group, &values, Some(&vec![1; values.len()]), Some(&repeated))
}

fn classes(group: &mut SerializedRowGroupWriter<'_, File>, records: &[Record]) -> ParquetResult<()> {
    let lists = records.iter().filter_map(|record| match &record.answer {
        Answer::Classes(classes) => Some(classes),
        _ => None,
    });
    let (mut names, mut probabilities, mut repeated, mut firsts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for list in lists {
        firsts.push(names.len());
        repeated.extend(begins(list.len()));
        names.extend(list.iter().map(|class| text(&class.class)));
        probabilities.extend(list.iter().map(|class| class.probability));
    }
    let best: Vec<ByteArray> = firsts.iter().map(|first| names[*first].clone()).collect();
    let likely: Vec<f32> = firsts.iter().map(|first| probabilities[*first]).collect();
    column::<ByteArrayType>(group, &best, None, None)?;
    column::<FloatType>(group, &likely, None, None)?;
    let defined = vec![1; names.len()];
    column::<ByteArrayType>(group, &names, Some(&defined), Some(&repeated))?;
    column::<FloatType>(group, &probabilities, Some(&defined), Some(&repeated))
}

/// Repetition levels of a list: 0 begins it.
fn begins(len: usize) -> impl Iterator<Item = i16> {
    (0..len).map(|index| i16::from(index > 0))
}

fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, File>,
    values: &[T::T],
    defined: Option<&[i16]>,
    repeated: Option<&[i16]>,
) -> ParquetResult<()> {
    let mut column =
        group.next_column()?.ok_or_else(|| ParquetError::General("the schema has no such column".into()))?;
    column.typed::<T>().write_batch(values, defined, repeated)?;
    column.close()
}

fn text(text: &str) -> ByteArray {
    text.as_bytes().to_vec().into()
}

fn broken(path: &Path, error: ParquetError) -> Error {
    Error::Output { path: path.to_owned(), reason: format!("cannot be written: {error}") }
}
