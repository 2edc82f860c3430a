//! The protobuf messages of a graph, without the bytes of its constants.

use std::collections::BTreeSet;

use tract_onnx::pb;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};

use super::Header;
use super::defaults::is_default;
use super::names::Names;
use crate::ir::{Attribute, Constant, Graph, Node, ValueId};
use crate::shapes::Dim;

/// The first version of the file format that knows the opset: the older the format, the more runtimes read it.
fn ir_version(opset: i64) -> i64 {
    match opset {
        ..=14 => 7,
        15..=18 => 8,
        19..=20 => 9,
        21..=22 => 10,
        23 => 11,
        24.. => 12,
    }
}

/// A model without nodes, initialisers and metadata.
pub(super) fn head(graph: &Graph, header: &Header, names: &Names) -> pb::ModelProto {
    let inputs = graph.inputs.iter().map(|id| value_info(graph, *id, names.values[id].clone())).collect();
    let outputs = graph.outputs.iter().map(|output| value_info(graph, output.value, output.name.clone())).collect();
    let proto = pb::GraphProto { name: header.name.clone(), input: inputs, output: outputs, ..Default::default() };
    pb::ModelProto {
        ir_version: ir_version(graph.opset),
        opset_import: opsets(graph),
        producer_name: env!("CARGO_PKG_NAME").to_string(),
        producer_version: env!("CARGO_PKG_VERSION").to_string(),
        doc_string: header.doc.clone(),
        graph: Some(proto),
        ..Default::default()
    }
}

/// ONNX's own operators, and the first version of every other domain.
fn opsets(graph: &Graph) -> Vec<pb::OperatorSetIdProto> {
    let domains: BTreeSet<&str> = graph.nodes.iter().map(|node| node.domain.as_str()).collect();
    let others = domains.into_iter().filter(|domain| !domain.is_empty()).map(|domain| (domain.to_string(), 1));
    let own = std::iter::once((String::new(), graph.opset));
    own.chain(others).map(|(domain, version)| pb::OperatorSetIdProto { domain, version }).collect()
}

/// The metadata, which are the last fields of a model before its graph.
pub(super) fn metadata(header: &Header) -> impl Iterator<Item = pb::StringStringEntryProto> {
    let entry =
        |(key, value): (&String, &String)| pb::StringStringEntryProto { key: key.clone(), value: value.clone() };
    header.metadata.iter().map(entry)
}

/// The message of a constant without its numbers.
pub(super) fn tensor(name: &str, constant: &Constant) -> pb::TensorProto {
    pb::TensorProto {
        name: name.to_string(),
        dims: constant.dims().iter().map(|size| *size as i64).collect(),
        data_type: constant.dtype().onnx(),
        ..Default::default()
    }
}

/// The message of a node.
pub(super) fn node_message(node: &Node, name: &str, names: &Names, opset: i64) -> pb::NodeProto {
    let said = |(name, value): &(&String, &Attribute)| !is_default(node, name, value, opset);
    let named = |id: &ValueId| names.values.get(id).cloned().unwrap_or_default();
    pb::NodeProto {
        name: name.to_string(),
        op_type: node.op.clone(),
        domain: node.domain.clone(),
        input: node.inputs.iter().map(|id| id.as_ref().map(named).unwrap_or_default()).collect(),
        output: node.outputs.iter().map(named).collect(),
        attribute: node.attributes.iter().filter(said).map(|(name, value)| attribute(name, value)).collect(),
        ..Default::default()
    }
}

/// A node that gives a value the name of an output.
pub(super) fn identity(source: &str, output: &str) -> pb::NodeProto {
    pb::NodeProto {
        name: format!("{output}/Identity"),
        op_type: "Identity".to_string(),
        input: vec![source.to_string()],
        output: vec![output.to_string()],
        ..Default::default()
    }
}

/// The message of an attribute.
pub(crate) fn attribute(name: &str, value: &Attribute) -> pb::AttributeProto {
    let mut proto = pb::AttributeProto { name: name.to_string(), ..Default::default() };
    let kind = match value {
        Attribute::Int(value) => {
            proto.i = *value;
            AttributeType::Int
        }
        Attribute::Float(value) => {
            proto.f = *value;
            AttributeType::Float
        }
        Attribute::Ints(values) => {
            proto.ints.clone_from(values);
            AttributeType::Ints
        }
        Attribute::String(value) => {
            proto.s = value.clone().into_bytes();
            AttributeType::String
        }
        Attribute::Tensor(value) => {
            proto.t = Some(pb::TensorProto { raw_data: value.bytes().to_vec(), ..tensor("", value) });
            AttributeType::Tensor
        }
    };
    proto.r#type = kind as i32;
    proto
}

fn value_info(graph: &Graph, id: ValueId, name: String) -> pb::ValueInfoProto {
    let value = graph.value(id);
    let dimension = |dim: &Dim| {
        let value = match (dim.fixed(), dim.as_symbol()) {
            (Some(size), _) => Some(dimension::Value::DimValue(size)),
            (None, Some(symbol)) => {
                graph.symbols.get(symbol).map(|symbol| dimension::Value::DimParam(symbol.name.clone()))
            }
            (None, None) => None,
        };
        Dimension { value, ..Default::default() }
    };
    let shape = pb::TensorShapeProto { dim: value.shape.iter().map(dimension).collect() };
    let tensor = pb::type_proto::Tensor { elem_type: value.dtype.onnx(), shape: Some(shape) };
    let r#type = Some(pb::TypeProto { value: Some(pb::type_proto::Value::TensorType(tensor)), ..Default::default() });
    pb::ValueInfoProto { name, r#type, ..Default::default() }
}
