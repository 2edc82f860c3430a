//! Repetition along an axis: `Expand` where the axis has size 1, `Tile` otherwise.
//!
//! # Source
//! ONNX `Expand`, `Tile`.

use burn_ir::{BaseOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation, expand, family};
use crate::Result;
use crate::ir::Attributes;
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "repeat", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Base::RepeatDim", "Tile | Expand")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(BaseOperationIr::RepeatDim(ir)) = family::base(operation) else { return Ok(Lowered::NotMine) };
    let times = context.integer(|op| match family::base(op) {
        Some(BaseOperationIr::RepeatDim(ir)) => Some(ir.times as i64),
        _ => None,
    });
    let value = context.input(&ir.tensor)?;
    let shape = context.shape(&ir.tensor);
    if shape[ir.dim] == Dim::Fixed(1) {
        expand::expand(context, value, &ir.out)?;
        return Ok(Lowered::Done);
    }
    let mut repeats = vec![Dim::Fixed(1); shape.len()];
    repeats[ir.dim] = times;
    let repeats = context.integers(&repeats)?;
    context.finish(&ir.out, "Tile", &[value, repeats], Attributes::new())?;
    Ok(Lowered::Done)
}
