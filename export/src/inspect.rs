//! What is in an ONNX file, ours or any other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use prost::Message;
use tract_onnx::pb::{self, tensor_proto::DataLocation, tensor_shape_proto::dimension};

use crate::ir::ElementType;
use crate::{Error, Result};

mod flops;

/// What an ONNX file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Inspection {
    /// Name of the graph.
    pub name: String,
    /// Who wrote the file, with the version.
    pub producer: String,
    /// The description for people.
    pub doc: String,
    /// Version of the ONNX format.
    pub ir_version: i64,
    /// Version of ONNX's own operators.
    pub opset: i64,
    /// Inputs that the caller feeds.
    pub inputs: Vec<Port>,
    /// Outputs.
    pub outputs: Vec<Port>,
    /// How often each operator occurs, the most frequent first.
    pub operators: Vec<OperatorCount>,
    /// Numbers in floating point initialisers.
    pub parameters: u64,
    /// Bytes of the initialisers inside the file.
    pub initializer_bytes: u64,
    /// Bytes of the initialisers in files beside it.
    pub external_bytes: u64,
    /// Floating point operations of `Conv`, `Gemm` and `MatMul` with every dynamic axis at 1, two for a product and its
    /// sum; `None` where the shapes are not known.
    pub flops: Option<u64>,
    /// Which operators the count of floating point operations leaves out, or why there is none.
    pub flops_note: String,
    /// The metadata.
    pub metadata: BTreeMap<String, String>,
}

/// An input or an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name.
    pub name: String,
    /// Element type.
    pub dtype: String,
    /// Sizes as text: a number, the name of a dynamic axis, or `?`.
    pub shape: Vec<String>,
}

/// How often an operator occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorCount {
    /// Name of the operator, with its domain where it is not ONNX's own.
    pub operator: String,
    /// Number of nodes.
    pub count: usize,
}

/// Reads an ONNX file.
///
/// # Errors
/// The file cannot be read or is no ONNX model.
pub fn inspect_file(path: impl AsRef<Path>) -> Result<Inspection> {
    let path = path.as_ref();
    let read = std::fs::read(path);
    let bytes = read.map_err(|source| Error::Io { action: "reading", path: path.to_path_buf(), source })?;
    inspect(&bytes).map_err(|error| match error {
        Error::Decode(reason) => Error::Decode(format!("{}: {reason}", path.display())),
        error => error,
    })
}

/// Reads the bytes of an ONNX file.
///
/// # Errors
/// The bytes are no ONNX model.
pub fn inspect(bytes: &[u8]) -> Result<Inspection> {
    let model = pb::ModelProto::decode(bytes).map_err(|error| Error::Decode(error.to_string()))?;
    let graph = model.graph.as_ref().ok_or_else(|| Error::Decode("it has no graph".to_string()))?;
    let given: BTreeSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let mut inspection = Inspection {
        name: graph.name.clone(),
        producer: format!("{} {}", model.producer_name, model.producer_version).trim().to_string(),
        doc: model.doc_string.clone(),
        ir_version: model.ir_version,
        opset: model.opset_import.iter().find(|set| is_onnx(&set.domain)).map_or(0, |set| set.version),
        inputs: graph.input.iter().filter(|input| !given.contains(input.name.as_str())).map(port).collect(),
        outputs: graph.output.iter().map(port).collect(),
        operators: operators(graph),
        parameters: sum(graph.initializer.iter().filter(|t| is_float(t)).map(elements)),
        initializer_bytes: sum(graph.initializer.iter().filter(|t| !is_external(t)).map(stored_bytes)),
        external_bytes: sum(graph.initializer.iter().filter(|t| is_external(t)).map(stored_bytes)),
        flops: None,
        flops_note: String::new(),
        metadata: model.metadata_props.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect(),
    };
    (inspection.flops, inspection.flops_note) = match flops::count(model) {
        Ok(count) => (Some(count.flops), count.note),
        Err(reason) => (None, reason),
    };
    Ok(inspection)
}

fn port(info: &pb::ValueInfoProto) -> Port {
    let tensor = info.r#type.as_ref().and_then(|kind| kind.value.as_ref());
    let Some(pb::type_proto::Value::TensorType(tensor)) = tensor else {
        return Port { name: info.name.clone(), dtype: "?".to_string(), shape: vec![] };
    };
    let dimension = |dim: &pb::tensor_shape_proto::Dimension| match &dim.value {
        Some(dimension::Value::DimValue(size)) => size.to_string(),
        Some(dimension::Value::DimParam(name)) => name.clone(),
        None => "?".to_string(),
    };
    let shape = tensor.shape.as_ref().map(|shape| shape.dim.iter().map(dimension).collect());
    let dtype = ElementType::from_onnx(tensor.elem_type).map_or("?", ElementType::name);
    Port { name: info.name.clone(), dtype: dtype.to_string(), shape: shape.unwrap_or_default() }
}

fn operators(graph: &pb::GraphProto) -> Vec<OperatorCount> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for node in &graph.node {
        let name =
            if is_onnx(&node.domain) { node.op_type.clone() } else { format!("{}::{}", node.domain, node.op_type) };
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().map(|(operator, count)| OperatorCount { operator, count }).collect();
    counts.sort_by_key(|count| std::cmp::Reverse(count.count));
    counts
}

fn is_float(tensor: &pb::TensorProto) -> bool {
    ElementType::from_onnx(tensor.data_type).is_some_and(ElementType::is_float)
}

/// Whether the numbers lie in a file of their own.
fn is_external(tensor: &pb::TensorProto) -> bool {
    tensor.data_location == Some(DataLocation::External as i32)
}

/// Whether a domain is ONNX's own, which has two names.
fn is_onnx(domain: &str) -> bool {
    ["", "ai.onnx"].contains(&domain)
}

/// Sizes that no memory holds count as the largest number.
fn elements(tensor: &pb::TensorProto) -> u64 {
    tensor.dims.iter().map(|size| u64::try_from(*size).unwrap_or(0)).fold(1, u64::saturating_mul)
}

fn sum(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0, u64::saturating_add)
}

fn stored_bytes(tensor: &pb::TensorProto) -> u64 {
    let size = ElementType::from_onnx(tensor.data_type).map_or(0, ElementType::size) as u64;
    elements(tensor).saturating_mul(size)
}
