//! One ONNX file and its card, checked against each other before any runtime sees them.

use crate::Error;
use prost::Message;
use selfie_models::Card;
use selfie_models::card::{CARD_KEY, InputDtype};
use selfie_models::card_file;
use selfie_models::digest::{self, DATA_DIGEST_KEY, DIGEST_KEY};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::dimension::Value;
use tract_onnx::pb::type_proto;
use tract_onnx::pb::{GraphProto, ModelProto, ValueInfoProto};

pub use selfie_models::card_file::CARD_FILE;

/// An ONNX file with its card.
#[derive(Clone, Debug)]
pub struct ModelFile {
    /// The ONNX file.
    pub path: PathBuf,
    /// Its card.
    pub card: Card,
    /// The batch size that the file fixes, or `None` when any is allowed.
    pub fixed_batch: Option<usize>,
    /// SHA-256 of the ONNX file in hexadecimal.
    pub sha256: String,
}

impl ModelFile {
    /// Reads the file and its card: `card.json` beside it, or the metadata entry `selfie.card` in it.
    ///
    /// # Errors
    /// [`Error::ModelFile`] when the file or its weights are damaged or have changed, it has no card or a second one beside
    /// it, or it differs from its card.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let bytes = fs::read(path).map_err(|source| Error::Io { action: "read", path: path.to_owned(), source })?;
        Self::of(path, &bytes)
    }

    /// As [`ModelFile::open`] for a file whose bytes are here.
    ///
    /// # Errors
    /// Those of [`ModelFile::open`].
    pub fn of(path: &Path, bytes: &[u8]) -> Result<Self, Error> {
        let wrong = |reason: String| Error::ModelFile { path: path.to_owned(), reason };
        let model = decode(path, bytes)?;
        if let Some(entry) = model.metadata_props.iter().find(|entry| entry.key == DIGEST_KEY) {
            digest::check(bytes, &entry.value).map_err(|error| wrong(error.to_string()))?;
        }
        if let Some(entry) = model.metadata_props.iter().find(|entry| entry.key == DATA_DIGEST_KEY) {
            digest::check_data(path, &entry.value).map_err(|error| wrong(error.to_string()))?;
        }
        let graph = model.graph.as_ref().ok_or_else(|| damaged(path, "it holds no graph"))?;
        let card = read_card(path, &model)?;
        let fixed_batch = check(graph, &card).map_err(wrong)?;
        let sha256 = format!("{:x}", Sha256::digest(bytes));
        Ok(Self { path: path.to_owned(), card, fixed_batch, sha256 })
    }

    /// Length of the file in bytes, with the weights beside it.
    pub fn bytes(&self) -> u64 {
        [self.path.clone(), digest::data_path(&self.path)]
            .iter()
            .filter_map(|path| fs::metadata(path).ok())
            .map(|file| file.len())
            .sum()
    }

    /// Names of the outputs that are served, in the order in which sessions give them.
    pub fn output_names(&self) -> Vec<&str> {
        let outputs = &self.card.outputs;
        let embedding = outputs.embedding.as_ref().map(|output| output.name.as_str());
        let logits = outputs.logits.as_ref().map(|output| output.name.as_str());
        embedding.into_iter().chain(logits).collect()
    }

    /// Length of a row of each output, in the order of [`ModelFile::output_names`].
    pub fn output_widths(&self) -> Vec<usize> {
        let outputs = &self.card.outputs;
        let embedding = outputs.embedding.as_ref().map(|output| output.width);
        let logits = outputs.logits.as_ref().map(|output| output.labels.len());
        embedding.into_iter().chain(logits).collect()
    }
}

/// Decodes an ONNX file.
///
/// # Errors
/// [`Error::ModelFile`] when it is no complete ONNX model.
pub(crate) fn decode(path: &Path, bytes: &[u8]) -> Result<ModelProto, Error> {
    ModelProto::decode(bytes).map_err(|error| damaged(path, &error.to_string()))
}

fn damaged(path: &Path, what: &str) -> Error {
    let reason = format!("not a complete ONNX model ({what}); copy or export it again");
    Error::ModelFile { path: path.to_owned(), reason }
}

fn read_card(path: &Path, model: &ModelProto) -> Result<Card, Error> {
    let wrong = |reason: String| Error::ModelFile { path: path.to_owned(), reason };
    let entries = &model.metadata_props;
    let found =
        card_file::find(path, |key| entries.iter().find(|entry| entry.key == key).map(|entry| entry.value.as_str()))
            .map_err(|error| wrong(error.to_string()))?;
    let found = found.ok_or_else(|| {
        wrong(format!(
            "no model card: neither a metadata entry \"{CARD_KEY}\" in it nor a {CARD_FILE} beside it; \
             without one nobody knows how to prepare an image for this model; `selfie card init` makes one"
        ))
    })?;
    Card::from_json(&found.text).map_err(|source| Error::Card { path: found.origin, source })
}

/// Compares the graph with the card and returns the batch size that the graph fixes.
pub(crate) fn check(graph: &GraphProto, card: &Card) -> Result<Option<usize>, String> {
    let inputs = inputs(graph);
    let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    let [input] = inputs[..] else {
        return Err(format!("it has the inputs {names:?}; exactly one image input can be served"));
    };
    if input.name != card.input.name {
        return Err(format!("the card names the input \"{}\", the graph has {names:?}", card.input.name));
    }
    let outputs: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
    let embedding = card.outputs.embedding.as_ref().map(|output| &output.name);
    let logits = card.outputs.logits.as_ref().map(|output| &output.name);
    for name in embedding.into_iter().chain(logits) {
        if !outputs.contains(&name.as_str()) {
            return Err(format!("the card names the output \"{name}\", the graph has {outputs:?}"));
        }
    }
    let tensor = tensor_type(input).ok_or_else(|| format!("its input \"{}\" has no tensor type", input.name))?;
    let expected = match card.input.dtype {
        InputDtype::F32 => DataType::Float,
        InputDtype::U8 => DataType::Uint8,
    };
    if tensor.elem_type != expected as i32 {
        let found = DataType::try_from(tensor.elem_type).map_or("an unknown type", |found| found.as_str_name());
        return Err(format!("its input is {found}, the card says {}", expected.as_str_name()));
    }
    let dims = dims(tensor);
    let wanted = card.input.shape(0);
    let fits = |(found, wanted): (&Option<usize>, &usize)| found.is_none_or(|found| found == *wanted);
    if dims.len() != wanted.len() || !dims.iter().zip(&wanted).skip(1).all(fits) {
        return Err(format!("its input has the shape {dims:?}, the card says {:?} after the batch", &wanted[1..]));
    }
    Ok(dims[0])
}

/// The inputs of a graph that are not weights.
pub(crate) fn inputs(graph: &GraphProto) -> Vec<&ValueInfoProto> {
    let initialised = |name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
    graph.input.iter().filter(|input| !initialised(&input.name)).collect()
}

/// The axes of a tensor; those that any size fits are `None`.
pub(crate) fn dims(tensor: &type_proto::Tensor) -> Vec<Option<usize>> {
    tensor.shape.iter().flat_map(|shape| &shape.dim).map(|dim| fixed(&dim.value)).collect()
}

pub(crate) fn tensor_type(value: &ValueInfoProto) -> Option<&type_proto::Tensor> {
    let type_proto::Value::TensorType(tensor) = value.r#type.as_ref()?.value.as_ref()?;
    Some(tensor)
}

fn fixed(dim: &Option<Value>) -> Option<usize> {
    match dim {
        Some(Value::DimValue(value)) => usize::try_from(*value).ok().filter(|value| *value > 0),
        Some(Value::DimParam(_)) | None => None,
    }
}
