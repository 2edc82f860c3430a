//! Integers that were an attribute and are the second input now.

use super::node::Old;
use crate::ir::Constant;
use tract_onnx::pb::attribute_proto::AttributeType;

pub(super) fn rewrite(old: &mut Old<'_, '_>, name: &str) -> Result<(), String> {
    if let Some(attribute) = old.take(name) {
        let alone = attribute.r#type == AttributeType::Int as i32;
        let numbers = if alone { vec![attribute.i] } else { attribute.ints };
        old.set_input(1, name, Constant::i64s(&numbers));
    }
    Ok(())
}
