//! Rounding towards zero: `⌈x⌉` below zero, `⌊x⌋` elsewhere.
//!
//! # Source
//! ONNX has no such operator: `Floor`, `Ceil`, `Less`, `Where`.

use burn_ir::{FloatOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::ElementType;

pub(super) const LOWERING: Lowering = Lowering { name: "trunc", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Float::Trunc", "Less, Ceil, Floor, Where")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Float(_, FloatOperationIr::Trunc(ir)) = operation else { return Ok(Lowered::NotMine) };
    let (dtype, shape) = (ElementType::from_burn(ir.input.dtype)?, context.shape(&ir.input));
    let x = context.input(&ir.input)?;
    let zero = context.number(0.0, dtype);
    let negative = context.apply("Less", &[x, zero], ElementType::Bool, &shape);
    let up = context.apply("Ceil", &[x], dtype, &shape);
    let down = context.apply("Floor", &[x], dtype, &shape);
    let result = context.apply("Where", &[negative, up, down], dtype, &shape);
    context.bind(&ir.out, result)?;
    Ok(Lowered::Done)
}
