//! Tensors of one number; one that is not filled holds zeros.
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
    let (number, out): (ScalarIr, &TensorIr) = match (family::numeric(operation), family::base(operation)) {
        (Some(NumericOperationIr::Full(ir)), _) => (ir.value, &ir.out),
        (_, Some(BaseOperationIr::Zeros(ir) | BaseOperationIr::Empty(ir))) => (ScalarIr::Int(0), &ir.out),
        (_, Some(BaseOperationIr::Ones(ir))) => (ScalarIr::Int(1), &ir.out),
        _ => return Ok(Lowered::NotMine),
    };
    let value = context.scalar(number, ElementType::from_burn(out.dtype)?);
    expand::expand(context, value, out)?;
    Ok(Lowered::Done)
}
