//! `√(a² + b²)` without overflow: with `m = max(|a|, |b|)` and `n = min(|a|, |b|)`, `m · √(1 + (n / m)²)`.
//!
//! # Source
//! ONNX has no such operator: `Abs`, `Max`, `Min`, `Add`, `Equal`, `Div`, `Mul`, `Sqrt`, `Where`.

use burn_ir::{FloatOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::ElementType;

pub(super) const LOWERING: Lowering = Lowering { name: "hypot", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Float::Hypot", "Abs, Max, Min, Div, Mul, Add, Sqrt, Equal, Where")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Float(_, FloatOperationIr::Hypot(ir)) = operation else { return Ok(Lowered::NotMine) };
    let (dtype, shape) = (ElementType::from_burn(ir.out.dtype)?, context.shape(&ir.out));
    let (left, right) = (context.input(&ir.lhs)?, context.input(&ir.rhs)?);
    let (left_shape, right_shape) = (context.shape(&ir.lhs), context.shape(&ir.rhs));
    let left = context.apply("Abs", &[left], dtype, &left_shape);
    let right = context.apply("Abs", &[right], dtype, &right_shape);
    let large = context.apply("Max", &[left, right], dtype, &shape);
    let small = context.apply("Min", &[left, right], dtype, &shape);
    let ratio = context.apply("Div", &[small, large], dtype, &shape);
    let square = context.apply("Mul", &[ratio, ratio], dtype, &shape);
    let one = context.number(1.0, dtype);
    let sum = context.apply("Add", &[square, one], dtype, &shape);
    let root = context.apply("Sqrt", &[sum], dtype, &shape);
    let scaled = context.apply("Mul", &[large, root], dtype, &shape);
    // The smaller one does not count where it is lost in the larger one: there the ratio may be 0 / 0 or ∞ / ∞.
    let both = context.apply("Add", &[large, small], dtype, &shape);
    let lost = context.apply("Equal", &[both, large], ElementType::Bool, &shape);
    let result = context.apply("Where", &[lost, large, scaled], dtype, &shape);
    context.bind(&ir.out, result)?;
    Ok(Lowered::Done)
}
