//! Which columns of a Parquet file hold images and labels, and what the classes are called.

use parquet::basic::{Compression, LogicalType};
use parquet::file::metadata::{ColumnChunkMetaData, FileMetaData, ParquetMetaData};
use parquet::schema::types::Type;
use serde_json::Value;
use std::sync::Arc;

/// The columns of images and labels.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Columns {
    pub image: String,
    pub label: Option<String>,
    /// Class names, where the file has them.
    pub names: Option<Vec<String>>,
}

/// Names by which columns are known in files that do not say what they hold; the first that is there counts.
const IMAGES: [&str; 2] = ["image", "img"];
const LABELS: [&str; 3] = ["label", "labels", "fine_label"];

impl Columns {
    /// The columns of a file: those that Hugging Face's description declares, else those with the usual names.
    pub fn of(file: &FileMetaData) -> Result<Self, String> {
        let columns: Vec<&str> = file.schema().get_fields().iter().map(|field| field.name()).collect();
        let features = features(file);
        let declared = |kind: &str| -> Vec<&str> {
            let is = |column: &str| features.get(column).is_some_and(|feature| feature["_type"] == kind);
            columns.iter().copied().filter(|column| is(column)).collect()
        };
        let choose = |declared: Vec<&str>, usual: &[&str]| {
            let among = |candidates: &[&str]| {
                usual.iter().find(|name| candidates.contains(name)).map(|name| (*name).to_owned())
            };
            among(&declared).or_else(|| declared.first().map(|name| (*name).to_owned())).or_else(|| among(&columns))
        };
        let image = choose(declared("Image"), &IMAGES).ok_or_else(|| {
            format!("it has the columns {columns:?}, but none of images; it must be called {}", IMAGES.join(" or "))
        })?;
        let label = choose(declared("ClassLabel"), &LABELS);
        let names = label.as_ref().and_then(|label| class_names(&features[label.as_str()]["names"]));
        Ok(Self { image, label, names })
    }

    /// Refuses a compression that is not read.
    pub fn check_compression(&self, file: &ParquetMetaData) -> Result<(), String> {
        let is_wanted = |column: &&ColumnChunkMetaData| {
            let name = column.column_path().parts().first();
            name == Some(&self.image) || name == self.label.as_ref()
        };
        let is_read = |column: &ColumnChunkMetaData| {
            use Compression::{GZIP, SNAPPY, UNCOMPRESSED, ZSTD};
            matches!(column.compression(), UNCOMPRESSED | SNAPPY | GZIP(_) | ZSTD(_))
        };
        let mut columns = file.row_groups().iter().flat_map(|group| group.columns()).filter(is_wanted);
        match columns.find(|column| !is_read(column)) {
            Some(column) => Err(format!(
                "its column {} is compressed by {}, which is not read; write it with snappy, gzip or zstd",
                column.column_path(),
                column.compression()
            )),
            None => Ok(()),
        }
    }

    /// The schema that reads these columns alone, and of the images their bytes.
    pub fn projection(&self, schema: &Type) -> Result<Type, String> {
        let mut fields = Vec::new();
        for field in schema.get_fields() {
            if field.name() == self.image {
                fields.push(bytes_of(field)?);
            } else if self.label.as_deref() == Some(field.name()) {
                fields.push(field.clone());
            }
        }
        Type::group_type_builder(schema.name()).with_fields(fields).build().map_err(|error| error.to_string())
    }
}

/// The field of an image without its path.
fn bytes_of(field: &Arc<Type>) -> Result<Arc<Type>, String> {
    if field.is_primitive() {
        return match field.get_basic_info().logical_type_ref() {
            Some(LogicalType::String) => Err(format!("the column {} holds text, not images", field.name())),
            _ => Ok(field.clone()),
        };
    }
    let bytes = field.get_fields().iter().find(|part| part.name() == "bytes");
    let bytes = bytes.ok_or_else(|| format!("the column {} has no part called bytes", field.name()))?;
    let info = field.get_basic_info();
    let mut group = Type::group_type_builder(field.name()).with_fields(vec![bytes.clone()]);
    if info.has_repetition() {
        group = group.with_repetition(info.repetition());
    }
    group.build().map(Arc::new).map_err(|error| error.to_string())
}

/// Hugging Face's description of the columns, or null.
fn features(file: &FileMetaData) -> Value {
    let entry = file.key_value_metadata().into_iter().flatten().find(|entry| entry.key == "huggingface");
    let described: Option<Value> = entry.and_then(|entry| serde_json::from_str(entry.value.as_deref()?).ok());
    described.map_or(Value::Null, |mut described| described["info"]["features"].take())
}

/// A list of names, or an object from numbers to names.
fn class_names(names: &Value) -> Option<Vec<String>> {
    match names {
        Value::Array(names) => names.iter().map(|name| name.as_str().map(str::to_owned)).collect(),
        Value::Object(names) => {
            (0..names.len()).map(|class| names.get(&class.to_string())?.as_str().map(str::to_owned)).collect()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::metadata::KeyValue;
    use parquet::schema::parser::parse_message_type;
    use parquet::schema::types::SchemaDescriptor;

    const SCHEMA: &str = "message schema { optional int64 id; optional group img { optional binary bytes; \
                          optional binary path (STRING); } optional int64 fine_label; optional int64 coarse_label; }";

    fn file(schema: &str, description: Option<&str>) -> FileMetaData {
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let entry = description.map(|text| vec![KeyValue::new("huggingface".to_owned(), text.to_owned())]);
        FileMetaData::new(1, 0, None, entry, Arc::new(SchemaDescriptor::new(schema)), None)
    }

    #[test]
    fn columns_are_those_that_are_declared_or_have_the_usual_names() {
        let usual = Columns::of(&file(SCHEMA, None)).unwrap();
        assert_eq!((usual.image.as_str(), usual.label.as_deref(), usual.names), ("img", Some("fine_label"), None));
        let description = r#"{"info": {"features": {"img": {"_type": "Image"},
            "coarse_label": {"names": ["a", "b"], "_type": "ClassLabel"}}}}"#;
        let declared = Columns::of(&file(SCHEMA, Some(description))).unwrap();
        assert_eq!(declared.label.as_deref(), Some("coarse_label"));
        assert_eq!(declared.names.unwrap(), ["a", "b"]);
        let numbered = description.replace(r#"["a", "b"]"#, r#"{"1": "b", "0": "a"}"#);
        assert_eq!(Columns::of(&file(SCHEMA, Some(&numbered))).unwrap().names.unwrap(), ["a", "b"]);
    }

    #[test]
    fn files_without_images_are_refused() {
        let message = Columns::of(&file("message schema { optional int64 id; }", None)).unwrap_err();
        assert!(message.contains("[\"id\"]") && message.contains("image or img"), "{message}");
        let text = file("message schema { optional binary image (STRING); }", None);
        let message = Columns::of(&text).unwrap().projection(text.schema()).unwrap_err();
        assert!(message.contains("holds text"), "{message}");
    }
}
