//! Broadcasting to a larger shape.
//!
//! # Source
//! ONNX `Expand`.

use burn_ir::{BaseOperationIr, OperationIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::Result;
use crate::ir::{Attributes, ValueId};
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "expand", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Base::Expand", "Expand")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(BaseOperationIr::Expand(ir)) = family::base(operation) else { return Ok(Lowered::NotMine) };
    let value = context.input(&ir.input)?;
    expand(context, value, &ir.out)?;
    Ok(Lowered::Done)
}

/// Expands a value to the shape of `out`. A `1` in the target keeps the axis, so only the axes that grow are named.
pub(super) fn expand(context: &mut Context<'_>, value: ValueId, out: &TensorIr) -> Result<()> {
    let from = context.value_shape(value);
    let to = context.shape(out);
    let new = to.len().saturating_sub(from.len());
    let target: Vec<Dim> = to
        .iter()
        .enumerate()
        .map(|(axis, dim)| if axis >= new && from[axis - new] == *dim { Dim::Fixed(1) } else { dim.clone() })
        .collect();
    let target = context.integers(&target)?;
    context.finish(out, "Expand", &[value, target], Attributes::new())
}
