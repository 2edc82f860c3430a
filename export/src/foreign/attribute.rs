//! Attributes that the passes understand.

use std::path::Path;

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::{AttributeProto, NodeProto};

use super::tensor;
use crate::Result;
use crate::ir::{Attribute, Attributes, Constant};

/// The attributes of a node, if all of them are numbers, lists of integers, texts or tensors.
pub(super) fn all(node: &NodeProto, folder: &Path) -> Result<Option<Attributes>> {
    let mut attributes = Attributes::new();
    for proto in &node.attribute {
        let Some(attribute) = one(proto, folder)? else { return Ok(None) };
        attributes.insert(proto.name.clone(), attribute);
    }
    Ok(Some(attributes))
}

fn one(proto: &AttributeProto, folder: &Path) -> Result<Option<Attribute>> {
    if !proto.ref_attr_name.is_empty() {
        return Ok(None);
    }
    Ok(match (AttributeType::try_from(proto.r#type), &proto.t) {
        (Ok(AttributeType::Int), _) => Some(Attribute::Int(proto.i)),
        (Ok(AttributeType::Float), _) => Some(Attribute::Float(proto.f)),
        (Ok(AttributeType::Ints), _) => Some(Attribute::Ints(proto.ints.clone())),
        (Ok(AttributeType::String), _) => String::from_utf8(proto.s.clone()).ok().map(Attribute::String),
        (Ok(AttributeType::Tensor), Some(proto)) => tensor::take(&mut proto.clone(), folder)?.map(Attribute::Tensor),
        _ => None,
    })
}

/// The numbers of a `Constant` node.
pub(super) fn constant(node: &NodeProto, folder: &Path) -> Result<Option<Constant>> {
    let [proto] = node.attribute.as_slice() else { return Ok(None) };
    Ok(match (proto.name.as_str(), one(proto, folder)?) {
        ("value", Some(Attribute::Tensor(constant))) => Some(constant),
        ("value_float", Some(Attribute::Float(number))) => Some(Constant::f32(vec![], &[number])),
        ("value_int", Some(Attribute::Int(number))) => Some(Constant::i64s(&[number]).reshaped(vec![])),
        ("value_ints", Some(Attribute::Ints(numbers))) => Some(Constant::i64s(&numbers)),
        ("value_floats", _) => Some(Constant::f32(vec![proto.floats.len()], &proto.floats)),
        _ => None,
    })
}
