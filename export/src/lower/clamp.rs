//! Clamping to a range.
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

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let (tensor, min, max, out) = match family::numeric(operation) {
        Some(NumericOperationIr::Clamp(ir)) => (&ir.tensor, Some(ir.min), Some(ir.max), &ir.out),
        Some(NumericOperationIr::ClampMin(ir)) => (&ir.lhs, Some(ir.rhs), None, &ir.out),
        Some(NumericOperationIr::ClampMax(ir)) => (&ir.lhs, None, Some(ir.rhs), &ir.out),
        _ => return Ok(Lowered::NotMine),
    };
    clip(context, tensor, min, max, out)?;
    Ok(Lowered::Done)
}

fn clip(
    context: &mut Context<'_>,
    tensor: &TensorIr,
    min: Option<ScalarIr>,
    max: Option<ScalarIr>,
    out: &TensorIr,
) -> Result<()> {
    let input = widen::input(context, tensor)?;
    let dtype = context.dtype(input);
    let mut inputs = vec![Some(input), min.map(|min| context.scalar(min, dtype))];
    if let Some(max) = max {
        inputs.push(Some(context.scalar(max, dtype)));
    }
    let shape = context.shape(out);
    let outputs = context.nodes("Clip", inputs, Attributes::new(), vec![(dtype, shape)]);
    context.bind_cast(out, outputs[0])
}
