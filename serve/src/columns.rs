//! Parquet files, read by column: no row is put together, and rows that are not wanted are skipped.

use crate::Error;
use parquet::basic::ConvertedType;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FloatType};
use parquet::file::reader::{FileReader, SerializedFileReader};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

/// Rows of lists that are read at once.
const LIST_ROWS: usize = 1024;

/// An open Parquet file.
pub(crate) struct Columns {
    path: PathBuf,
    reader: SerializedFileReader<File>,
}

/// Vectors of one width, one after the other.
#[derive(Debug, PartialEq)]
pub(crate) struct Floats {
    pub width: usize,
    pub values: Vec<f32>,
}

impl Columns {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Input`] when it is no Parquet file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(|source| Error::Io { action: "open", path: path.to_owned(), source })?;
        let reader = SerializedFileReader::new(file).map_err(|error| Error::Input {
            path: path.to_owned(),
            reason: format!("is no complete Parquet file: {error}"),
        })?;
        Ok(Self { path: path.to_owned(), reader })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.group_rows().sum()
    }

    /// The key-value metadata.
    pub fn metadata(&self) -> BTreeMap<String, String> {
        let pairs = self.reader.metadata().file_metadata().key_value_metadata().into_iter().flatten();
        pairs.filter_map(|pair| Some((pair.key.clone(), pair.value.clone()?))).collect()
    }

    /// The one column of values at `name`, which may be `a.b` for a field of a struct, or a list.
    pub fn find(&self, name: &str) -> Option<usize> {
        let columns = self.reader.metadata().file_metadata().schema_descr().columns();
        let path = |index: &usize| columns[*index].path().string();
        let mut inside = (0..columns.len()).filter(|index| path(index).starts_with(&format!("{name}.")));
        let exact = (0..columns.len()).find(|index| path(index) == name);
        exact.or_else(|| inside.next().filter(|_| inside.next().is_none()))
    }

    /// Names of the columns, for messages.
    pub fn names(&self) -> String {
        let columns = self.reader.metadata().file_metadata().schema_descr().columns();
        columns.iter().map(|column| column.path().string()).collect::<Vec<_>>().join(", ")
    }

    /// Strings, whole numbers or truth values as text, one for each row.
    ///
    /// # Errors
    /// [`Error::Input`] when the column holds something else.
    pub fn texts(&self, column: usize) -> Result<Vec<Option<String>>, Error> {
        self.no_lists(column)?;
        let mut found = Vec::with_capacity(self.rows());
        // A number without a sign stands in the same bits.
        let is_unsigned = self.is_unsigned(column);
        let short = |value: i32| if is_unsigned { value.cast_unsigned().to_string() } else { value.to_string() };
        let long = |value: i64| if is_unsigned { value.cast_unsigned().to_string() } else { value.to_string() };
        for (group, rows) in self.group_rows().enumerate() {
            let texts = match self.column(group, column)? {
                ColumnReader::ByteArrayColumnReader(mut reader) => {
                    let text = |bytes: ByteArray| String::from_utf8_lossy(bytes.data()).into_owned();
                    self.records(&mut reader, rows, text)?
                }
                ColumnReader::Int32ColumnReader(mut reader) => self.records(&mut reader, rows, short)?,
                ColumnReader::Int64ColumnReader(mut reader) => self.records(&mut reader, rows, long)?,
                ColumnReader::BoolColumnReader(mut reader) => {
                    self.records(&mut reader, rows, |value| value.to_string())?
                }
                _ => return Err(self.wrong_type(column, "strings, whole numbers or truth values")),
            };
            found.extend(texts);
        }
        Ok(found)
    }

    /// The bytes of `count` rows from row `first` on.
    ///
    /// # Errors
    /// [`Error::Input`] when the column does not hold bytes.
    pub fn bytes(&self, column: usize, first: usize, count: usize) -> Result<Vec<Option<Vec<u8>>>, Error> {
        self.no_lists(column)?;
        let mut found = Vec::with_capacity(count);
        let mut start = 0;
        for (group, rows) in self.group_rows().enumerate() {
            let (from, to) = ((first.max(start)) - start, (first + count).min(start + rows).saturating_sub(start));
            if from < to {
                let ColumnReader::ByteArrayColumnReader(mut reader) = self.column(group, column)? else {
                    return Err(self.wrong_type(column, "bytes"));
                };
                reader.skip_records(from).map_err(|error| self.damaged(&error))?;
                found.extend(self.records(&mut reader, to - from, |bytes: ByteArray| bytes.data().to_vec())?);
            }
            start += rows;
        }
        Ok(found)
    }

    /// Lists of 32-bit floats, all of one width, one for each row.
    ///
    /// # Errors
    /// [`Error::Input`] when the column holds something else, or lists of several widths.
    pub fn floats(&self, column: usize) -> Result<Floats, Error> {
        let mut floats = Floats { width: 0, values: Vec::new() };
        for (group, rows) in self.group_rows().enumerate() {
            let ColumnReader::FloatColumnReader(mut reader) = self.column(group, column)? else {
                return Err(self.wrong_type(column, "lists of 32-bit floats"));
            };
            for first in (0..rows).step_by(LIST_ROWS) {
                self.lists(&mut reader, column, LIST_ROWS.min(rows - first), &mut floats)?;
            }
        }
        Ok(floats)
    }

    /// Appends the next rows of a column of lists.
    fn lists(
        &self,
        reader: &mut ColumnReaderImpl<FloatType>,
        column: usize,
        rows: usize,
        floats: &mut Floats,
    ) -> Result<(), Error> {
        let (mut definitions, mut levels, before) = (Vec::new(), Vec::new(), floats.values.len());
        let (read, _, _) = reader
            .read_records(rows, Some(&mut definitions), Some(&mut levels), &mut floats.values)
            .map_err(|error| self.damaged(&error))?;
        let begins = |&index: &usize| levels[index] == 0;
        if floats.width == 0 {
            floats.width = (1..levels.len()).find(begins).unwrap_or(levels.len());
            floats.values.reserve_exact((self.rows() * floats.width).saturating_sub(floats.values.len()));
        }
        let len = rows * floats.width;
        let regular = (0..levels.len()).filter(begins).eq((0..len).step_by(floats.width.max(1)));
        if read != rows || levels.len() != len || floats.values.len() - before != len || !regular {
            let name = self.name(column);
            let reason = format!("column {name} holds lists of several lengths, or gaps; all vectors have one width");
            return Err(Error::Input { path: self.path.clone(), reason });
        }
        Ok(())
    }

    fn group_rows(&self) -> impl Iterator<Item = usize> {
        self.reader.metadata().row_groups().iter().map(|group| usize::try_from(group.num_rows()).unwrap_or(0))
    }

    fn column(&self, group: usize, column: usize) -> Result<ColumnReader, Error> {
        let group = self.reader.get_row_group(group).map_err(|error| self.damaged(&error))?;
        group.get_column_reader(column).map_err(|error| self.damaged(&error))
    }

    /// The next rows of a column.
    fn records<T: DataType, V>(
        &self,
        reader: &mut ColumnReaderImpl<T>,
        count: usize,
        value: impl Fn(T::T) -> V,
    ) -> Result<Vec<Option<V>>, Error> {
        let (mut definitions, mut values) = (Vec::new(), Vec::new());
        let (read, found, _) = reader
            .read_records(count, Some(&mut definitions), None, &mut values)
            .map_err(|error| self.damaged(&error))?;
        if read != count {
            let reason = format!("ends after {read} of {count} rows; copy it again");
            return Err(Error::Input { path: self.path.clone(), reason });
        }
        let mut values = values.into_iter().map(value);
        if found == count {
            return Ok(values.map(Some).collect());
        }
        // A value is there where the definition level is the highest that occurs; with no value at all none is.
        let full = definitions.iter().copied().max().filter(|_| found > 0);
        Ok(definitions.iter().map(|level| if Some(*level) == full { values.next() } else { None }).collect())
    }

    /// Refuses a column that may have several values in a row.
    fn no_lists(&self, column: usize) -> Result<(), Error> {
        match self.reader.metadata().file_metadata().schema_descr().column(column).max_rep_level() {
            0 => Ok(()),
            _ => Err(self.wrong_type(column, "one value for each row, but lists")),
        }
    }

    /// Whether the whole numbers of a column have no sign.
    fn is_unsigned(&self, column: usize) -> bool {
        use ConvertedType::{UINT_8, UINT_16, UINT_32, UINT_64};
        let kind = self.reader.metadata().file_metadata().schema_descr().column(column).converted_type();
        matches!(kind, UINT_8 | UINT_16 | UINT_32 | UINT_64)
    }

    fn name(&self, column: usize) -> String {
        self.reader.metadata().file_metadata().schema_descr().column(column).path().string()
    }

    fn wrong_type(&self, column: usize, expected: &str) -> Error {
        let reason = format!("column {} does not hold {expected}", self.name(column));
        Error::Input { path: self.path.clone(), reason }
    }

    fn damaged(&self, error: &parquet::errors::ParquetError) -> Error {
        Error::Input { path: self.path.clone(), reason: format!("is damaged: {error}") }
    }
}

#[cfg(test)]
mod tests;
