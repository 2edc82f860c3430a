//! `ln(1 + x)`, exact near zero: with `u = 1 + x` rounded, `ln u - ((u - 1) - x) / u`.
//!
//! # Source
//! ONNX has no such operator: `Add`, `Sub`, `Log`, `Div`, `Equal`, `Where`. The correction is HP's of the HP-15C.

use burn_ir::{FloatOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::ElementType;

pub(super) const LOWERING: Lowering = Lowering { name: "log1p", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Float::Log1p", "Add, Sub, Log, Div, Equal, Where")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Float(_, FloatOperationIr::Log1p(ir)) = operation else { return Ok(Lowered::NotMine) };
    let (dtype, shape) = (ElementType::from_burn(ir.input.dtype)?, context.shape(&ir.input));
    let x = context.input(&ir.input)?;
    let one = context.number(1.0, dtype);
    let u = context.apply("Add", &[x, one], dtype, &shape);
    let back = context.apply("Sub", &[u, one], dtype, &shape);
    let log = context.apply("Log", &[u], dtype, &shape);
    let lost = context.apply("Sub", &[back, x], dtype, &shape);
    let correction = context.apply("Div", &[lost, u], dtype, &shape);
    let corrected = context.apply("Sub", &[log, correction], dtype, &shape);
    // Where nothing is lost the correction may be 0 / 0 or ∞ - ∞.
    let exact = context.apply("Equal", &[back, x], ElementType::Bool, &shape);
    let result = context.apply("Where", &[exact, log, corrected], dtype, &shape);
    context.bind(&ir.out, result)?;
    Ok(Lowered::Done)
}
