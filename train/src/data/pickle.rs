//! Dictionaries in Python's pickle format, with numpy arrays in them.
//!
//! No code of a pickle is run: classes that it names are left out, and of an array the state is what is read.

use super::DataError;
use super::array::Array;
use serde_pickle::{DeOptions, HashableValue, Value};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

/// A dictionary whose keys are text.
pub(crate) struct Pickle {
    file: String,
    entries: BTreeMap<String, Value>,
}

impl Pickle {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let file = path.display().to_string();
        let reader = BufReader::new(File::open(path).map_err(DataError::io("read", path))?);
        let options = DeOptions::new().keep_restore_state().replace_unresolved_globals();
        let value = serde_pickle::value_from_reader(reader, options).map_err(|error| DataError::Format {
            file: file.clone(),
            problem: format!("it is no readable pickle, or it is cut off: {error}"),
        })?;
        let Value::Dict(entries) = value else {
            return Err(DataError::Format { file, problem: "it is a pickle, but not of a dictionary".to_owned() });
        };
        let entries = entries.into_iter().filter_map(|(key, value)| Some((text_key(key)?, value))).collect();
        Ok(Self { file, entries })
    }

    /// Takes out an array.
    pub fn array(&mut self, key: &str) -> Result<Array, DataError> {
        let value = self.take(key)?;
        array(value).ok_or_else(|| self.problem(format!("{key:?} is no numpy array in row-major order")))
    }

    /// Takes out integers: a list, or an array.
    pub fn integers(&mut self, key: &str) -> Result<Vec<i64>, DataError> {
        match self.take(key)? {
            Value::List(values) => {
                let integer = |value| match value {
                    Value::I64(number) => Some(number),
                    _ => None,
                };
                let integers: Option<Vec<i64>> = values.into_iter().map(integer).collect();
                integers.ok_or_else(|| self.problem(format!("{key:?} holds something else than integers")))
            }
            value => {
                let array = array(value).ok_or_else(|| self.problem(format!("{key:?} is no list of integers")))?;
                array.integers().map_err(|reason| self.problem(format!("{key:?}: {reason}")))
            }
        }
    }

    /// Takes out a list of text.
    pub fn names(&mut self, key: &str) -> Result<Vec<String>, DataError> {
        let Value::List(values) = self.take(key)? else {
            return Err(self.problem(format!("{key:?} is no list of names")));
        };
        let names: Option<Vec<String>> = values.into_iter().map(text).collect();
        names.ok_or_else(|| self.problem(format!("{key:?} holds something else than names")))
    }

    fn take(&mut self, key: &str) -> Result<Value, DataError> {
        self.entries.remove(key).ok_or_else(|| {
            let known: Vec<&String> = self.entries.keys().collect();
            self.problem(format!("it has no {key:?}; it has {known:?}"))
        })
    }

    fn problem(&self, problem: String) -> DataError {
        DataError::Format { file: self.file.clone(), problem }
    }
}

/// The state of an array: version, shape, type, column-major, bytes; or, from pickle protocol 5 on: bytes, type, shape,
/// order.
fn array(value: Value) -> Option<Array> {
    let Value::Tuple(state) = value else { return None };
    let (shape, bytes) = match <[Value; 5]>::try_from(state) {
        Ok([_, Value::Tuple(shape), _, Value::Bool(false) | Value::I64(0), Value::Bytes(bytes)]) => (shape, bytes),
        Ok(_) => return None,
        Err(state) => match <[Value; 4]>::try_from(state) {
            Ok([Value::Bytes(bytes), _, Value::Tuple(shape), Value::String(order)]) if order == "C" => (shape, bytes),
            _ => return None,
        },
    };
    let side = |value| match value {
        Value::I64(side) => usize::try_from(side).ok(),
        _ => None,
    };
    Some(Array { shape: shape.into_iter().map(side).collect::<Option<_>>()?, bytes })
}

fn text_key(key: HashableValue) -> Option<String> {
    match key {
        HashableValue::String(text) => Some(text),
        HashableValue::Bytes(bytes) => String::from_utf8(bytes).ok(),
        _ => None,
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Bytes(bytes) => String::from_utf8(bytes).ok(),
        _ => None,
    }
}
