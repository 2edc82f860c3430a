//! Views of an operation that ignore the kind of its tensors, and of its numbers as ONNX wants them.

use burn_ir::{BaseOperationIr, NumericOperationIr, OperationIr};

use crate::ir::Attribute;

/// The operation if it is one that floats, integers and booleans share.
pub(super) fn base(operation: &OperationIr) -> Option<&BaseOperationIr> {
    match operation {
        OperationIr::BaseFloat(base) | OperationIr::BaseInt(base) | OperationIr::BaseBool(base) => Some(base),
        _ => None,
    }
}

/// The operation if it is one that floats and integers share.
pub(super) fn numeric(operation: &OperationIr) -> Option<&NumericOperationIr> {
    match operation {
        OperationIr::NumericFloat(_, numeric) | OperationIr::NumericInt(_, numeric) => Some(numeric),
        _ => None,
    }
}

/// Sizes as an attribute.
pub(super) fn ints(values: &[usize]) -> Attribute {
    Attribute::Ints(values.iter().map(|value| *value as i64).collect())
}
