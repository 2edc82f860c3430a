//! Arithmetic and logic of two tensors, element by element with broadcasting.
//!
//! # Source
//! ONNX `Add`, `Sub`, `Mul`, `Div`, `Pow`, `And`, `Or`, `Xor`; `Pow` and, before opset 14, all of the arithmetic leave out
//! the integers of fewer than 32 bits, which take the detour over 32.

use burn_ir::{BinaryOpIr, BoolOperationIr, FloatOperationIr, NumericOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation, family, widen};
use crate::Result;

pub(super) const LOWERING: Lowering = Lowering { name: "arithmetic", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Numeric::Add", "Add"),
    Operation::new("Numeric::Sub", "Sub"),
    Operation::new("Numeric::Mul", "Mul"),
    Operation::new("Numeric::Div", "Div"),
    Operation::new("Numeric::Powi", "Pow"),
    Operation::new("Float::Powf", "Pow"),
    Operation::new("Bool::And", "And"),
    Operation::new("Bool::Or", "Or"),
    Operation::new("Bool::Xor", "Xor"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some((op, binary)) = operator(operation) else { return Ok(Lowered::NotMine) };
    let mut inputs = [context.input(&binary.lhs)?, context.input(&binary.rhs)?];
    if widens(context.opset(), op) {
        inputs = inputs.map(|input| {
            let wide = widen::widened(context.dtype(input));
            context.cast(input, wide)
        });
    }
    let dtype = context.dtype(inputs[0]);
    let shape = context.shape(&binary.out);
    let result = context.apply(op, &inputs, dtype, &shape);
    context.bind_cast(&binary.out, result)?;
    Ok(Lowered::Done)
}

/// Whether the operator takes only the wide integers.
pub(super) fn widens(opset: i64, op: &str) -> bool {
    op == "Pow" || (opset < 14 && ["Add", "Sub", "Mul", "Div"].contains(&op))
}

fn operator(operation: &OperationIr) -> Option<(&'static str, &BinaryOpIr)> {
    match operation {
        OperationIr::Float(_, FloatOperationIr::Powf(binary)) => Some(("Pow", binary)),
        OperationIr::Bool(BoolOperationIr::And(binary)) => Some(("And", binary)),
        OperationIr::Bool(BoolOperationIr::Or(binary)) => Some(("Or", binary)),
        OperationIr::Bool(BoolOperationIr::Xor(binary)) => Some(("Xor", binary)),
        _ => match family::numeric(operation)? {
            NumericOperationIr::Add(binary) => Some(("Add", binary)),
            NumericOperationIr::Sub(binary) => Some(("Sub", binary)),
            NumericOperationIr::Mul(binary) => Some(("Mul", binary)),
            NumericOperationIr::Div(binary) => Some(("Div", binary)),
            NumericOperationIr::Powi(binary) => Some(("Pow", binary)),
            _ => None,
        },
    }
}
