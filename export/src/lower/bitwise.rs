//! Logic of the bits of integers.
//!
//! # Source
//! ONNX `BitwiseAnd`, `BitwiseOr`, `BitwiseXor`, opset 18; the complement is a difference from all ones.

use burn_ir::{IntOperationIr, OperationIr, ScalarIr};

use super::{Context, Lowered, Lowering, Operation, arithmetic, widen};
use crate::Result;
use crate::ir::{Constant, ElementType, Number};

pub(super) const LOWERING: Lowering = Lowering { name: "bitwise", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Int::BitwiseAnd", "BitwiseAnd").since(18),
    Operation::new("Int::BitwiseAndScalar", "BitwiseAnd").since(18),
    Operation::new("Int::BitwiseOr", "BitwiseOr").since(18),
    Operation::new("Int::BitwiseOrScalar", "BitwiseOr").since(18),
    Operation::new("Int::BitwiseXor", "BitwiseXor").since(18),
    Operation::new("Int::BitwiseXorScalar", "BitwiseXor").since(18),
    Operation::new("Int::BitwiseNot", "Sub"),
];

/// The opset that brought the operators.
const SINCE: i64 = 18;

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Int(int) = operation else { return Ok(Lowered::NotMine) };
    let (op, left, right, out) = match int {
        IntOperationIr::BitwiseNot(ir) => {
            let mut value = context.input(&ir.input)?;
            if arithmetic::widens(context.opset(), "Sub") {
                value = widen::input(context, &ir.input)?;
            }
            let (dtype, shape) = (context.dtype(value), context.value_shape(value));
            let ones = context.constant(Constant::scalar(dtype, Number::Int(-1)));
            let complement = context.apply("Sub", &[ones, value], dtype, &shape);
            context.bind_cast(&ir.out, complement)?;
            return Ok(Lowered::Done);
        }
        IntOperationIr::BitwiseAnd(ir) => ("BitwiseAnd", &ir.lhs, context.input(&ir.rhs)?, &ir.out),
        IntOperationIr::BitwiseOr(ir) => ("BitwiseOr", &ir.lhs, context.input(&ir.rhs)?, &ir.out),
        IntOperationIr::BitwiseXor(ir) => ("BitwiseXor", &ir.lhs, context.input(&ir.rhs)?, &ir.out),
        IntOperationIr::BitwiseAndScalar(ir)
        | IntOperationIr::BitwiseOrScalar(ir)
        | IntOperationIr::BitwiseXorScalar(ir) => {
            let op = match int {
                IntOperationIr::BitwiseAndScalar(_) => "BitwiseAnd",
                IntOperationIr::BitwiseOrScalar(_) => "BitwiseOr",
                _ => "BitwiseXor",
            };
            let Some(right) = context.scalar_of(bits, ElementType::from_burn(ir.lhs.dtype)?)? else {
                return Ok(Lowered::NotMine);
            };
            (op, &ir.lhs, right, &ir.out)
        }
        _ => return Ok(Lowered::NotMine),
    };
    if context.opset() < SINCE {
        return Err(context.unsupported(format!(
            "ONNX knows `{op}` from opset {SINCE} on; choose one with `Export::opset`, or compute with truth values"
        )));
    }
    let left = context.input(left)?;
    let (dtype, shape) = (context.dtype(left), context.shape(out));
    let result = context.apply(op, &[left, right], dtype, &shape);
    context.bind(out, result)?;
    Ok(Lowered::Done)
}

fn bits(operation: &OperationIr) -> Option<ScalarIr> {
    match operation {
        OperationIr::Int(
            IntOperationIr::BitwiseAndScalar(ir)
            | IntOperationIr::BitwiseOrScalar(ir)
            | IntOperationIr::BitwiseXorScalar(ir),
        ) => Some(ir.rhs),
        _ => None,
    }
}
