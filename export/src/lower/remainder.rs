//! Remainders with the sign of the divisor, which may be a number that follows the dynamic sizes.
//!
//! # Source
//! ONNX `Mod`, which for integers is just that and for floats keeps the sign of the dividend: there
//! `r + b` where `r = fmod(a, b)` is not zero and has another sign than `b`.

use burn_ir::{NumericOperationIr, OperationIr, ScalarIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::Result;
use crate::ir::{ElementType, ValueId, attributes};

pub(super) const LOWERING: Lowering = Lowering { name: "remainder", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Numeric::Rem", "Mod | Mod, Less, Xor, Equal, Not, And, Add, Where"),
    Operation::new("Numeric::RemScalar", "Mod | Mod, Less, Xor, Equal, Not, And, Add, Where"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let (left, right, out) = match family::numeric(operation) {
        Some(NumericOperationIr::Rem(ir)) => (&ir.lhs, context.input(&ir.rhs)?, &ir.out),
        Some(NumericOperationIr::RemScalar(ir)) => {
            let Some(right) = context.scalar_of(divisor, ElementType::from_burn(ir.lhs.dtype)?)? else {
                return Ok(Lowered::NotMine);
            };
            (&ir.lhs, right, &ir.out)
        }
        _ => return Ok(Lowered::NotMine),
    };
    let dividend = context.input(left)?;
    wire(context, dividend, right, out)?;
    Ok(Lowered::Done)
}

fn divisor(operation: &OperationIr) -> Option<ScalarIr> {
    match family::numeric(operation) {
        Some(NumericOperationIr::RemScalar(ir)) => Some(ir.rhs),
        _ => None,
    }
}

fn wire(context: &mut Context<'_>, dividend: ValueId, divisor: ValueId, out: &TensorIr) -> Result<()> {
    let (dtype, shape) = (ElementType::from_burn(out.dtype)?, context.shape(out));
    if !dtype.is_float() {
        return context.finish(out, "Mod", &[dividend, divisor], attributes([("fmod", 0.into())]));
    }
    let rest = context.node("Mod", &[dividend, divisor], attributes([("fmod", 1.into())]), dtype, shape.clone());
    let zero = context.number(0.0, dtype);
    let divisor_shape = context.value_shape(divisor);
    let rest_below = context.apply("Less", &[rest, zero], ElementType::Bool, &shape);
    let divisor_below = context.apply("Less", &[divisor, zero], ElementType::Bool, &divisor_shape);
    let apart = context.apply("Xor", &[rest_below, divisor_below], ElementType::Bool, &shape);
    let none = context.apply("Equal", &[rest, zero], ElementType::Bool, &shape);
    let some = context.apply("Not", &[none], ElementType::Bool, &shape);
    let moves = context.apply("And", &[apart, some], ElementType::Bool, &shape);
    let moved = context.apply("Add", &[rest, divisor], dtype, &shape);
    let result = context.apply("Where", &[moves, moved, rest], dtype, &shape);
    context.bind(out, result)
}
