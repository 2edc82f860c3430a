//! Element types that few ONNX operators take become those that nearly all take.

use burn_ir::TensorIr;

use super::Context;
use crate::Result;
use crate::ir::{ElementType, ValueId};

/// The type in which to compute: floats as they are, small integers and booleans as 32-bit integers, unsigned 32-bit
/// integers as 64-bit ones.
pub(super) fn widened(dtype: ElementType) -> ElementType {
    match dtype {
        ElementType::I8 | ElementType::I16 | ElementType::U8 | ElementType::U16 | ElementType::Bool => ElementType::I32,
        ElementType::U32 => ElementType::I64,
        other => other,
    }
}

/// The value of a tensor in the type in which to compute.
pub(super) fn input(context: &mut Context<'_>, tensor: &TensorIr) -> Result<ValueId> {
    let value = context.input(tensor)?;
    let dtype = context.dtype(value);
    Ok(context.cast(value, widened(dtype)))
}
