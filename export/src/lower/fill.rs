//! Tensors of one number, which may follow the dynamic sizes; one that is not filled holds zeros.
//!
//! # Source
//! ONNX initialisers; `Expand` where the shape is dynamic.

use burn_ir::{BaseOperationIr, NumericOperationIr, OperationIr, ScalarIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation, expand, family};
use crate::Result;
use crate::ir::ElementType;

pub(super) const LOWERING: Lowering = Lowering { name: "fill", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Base::Empty", "Expand"),
    Operation::new("Base::Ones", "Expand"),
    Operation::new("Base::Zeros", "Expand"),
    Operation::new("Numeric::Full", "Expand"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some((_, out)) = fill(operation) else { return Ok(Lowered::NotMine) };
    let dtype = ElementType::from_burn(out.dtype)?;
    let Some(value) = context.scalar_of(|op| Some(fill(op)?.0), dtype)? else { return Ok(Lowered::NotMine) };
    expand::expand(context, value, out)?;
    Ok(Lowered::Done)
}

fn fill(operation: &OperationIr) -> Option<(ScalarIr, &TensorIr)> {
    match (family::numeric(operation), family::base(operation)) {
        (Some(NumericOperationIr::Full(ir)), _) => Some((ir.value, &ir.out)),
        (_, Some(BaseOperationIr::Zeros(ir) | BaseOperationIr::Empty(ir))) => Some((ScalarIr::Int(0), &ir.out)),
        (_, Some(BaseOperationIr::Ones(ir))) => Some((ScalarIr::Int(1), &ir.out)),
        _ => None,
    }
}
