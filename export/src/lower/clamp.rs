//! Clamping to a range, whose ends may follow the dynamic sizes.
//!
//! # Source
//! ONNX `Clip`.

use burn_ir::{NumericOperationIr, OperationIr, ScalarIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation, family, widen};
use crate::Result;
use crate::ir::Attributes;

pub(super) const LOWERING: Lowering = Lowering { name: "clamp", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Numeric::Clamp", "Clip"),
    Operation::new("Numeric::ClampMin", "Clip"),
    Operation::new("Numeric::ClampMax", "Clip"),
];

/// What is clamped, from where to where, and the result.
struct Clamp<'a>(&'a TensorIr, Option<ScalarIr>, Option<ScalarIr>, &'a TensorIr);

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(Clamp(tensor, _, max, out)) = clamp(operation) else { return Ok(Lowered::NotMine) };
    let input = widen::input(context, tensor)?;
    let dtype = context.dtype(input);
    let mut inputs = vec![Some(input), context.rank_zero_of(|op| clamp(op)?.1, dtype)?];
    if max.is_some() {
        inputs.push(context.rank_zero_of(|op| clamp(op)?.2, dtype)?);
    }
    let shape = context.shape(out);
    let outputs = context.nodes("Clip", inputs, Attributes::new(), vec![(dtype, shape)]);
    context.bind_cast(out, outputs[0])?;
    Ok(Lowered::Done)
}

fn clamp(operation: &OperationIr) -> Option<Clamp<'_>> {
    match family::numeric(operation)? {
        NumericOperationIr::Clamp(ir) => Some(Clamp(&ir.tensor, Some(ir.min), Some(ir.max), &ir.out)),
        NumericOperationIr::ClampMin(ir) => Some(Clamp(&ir.lhs, Some(ir.rhs), None, &ir.out)),
        NumericOperationIr::ClampMax(ir) => Some(Clamp(&ir.lhs, None, Some(ir.rhs), &ir.out)),
        _ => None,
    }
}
