//! The angle of the point `(x, y)`: `atan(y / x)`, moved by π left of the vertical axis. The sign of a zero is not seen.
//!
//! # Source
//! ONNX has no such operator: `Div`, `Atan`, `Add`, `Equal`, `Less`, `Where`.

use burn_ir::{FloatOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::ElementType;

pub(super) const LOWERING: Lowering = Lowering { name: "arc_tan2", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Float::ArcTan2", "Div, Atan, Add, Equal, Less, Where")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Float(_, FloatOperationIr::ArcTan2(ir)) = operation else { return Ok(Lowered::NotMine) };
    let (dtype, shape) = (ElementType::from_burn(ir.out.dtype)?, context.shape(&ir.out));
    let (y_shape, x_shape) = (context.shape(&ir.lhs), context.shape(&ir.rhs));
    let (y, x) = (context.input(&ir.lhs)?, context.input(&ir.rhs)?);
    let zero = context.number(0.0, dtype);
    let slope = context.apply("Div", &[y, x], dtype, &shape);
    // On the horizontal axis the slope is zero, also at the origin, where the quotient is no number.
    let level = context.apply("Equal", &[y, zero], ElementType::Bool, &y_shape);
    let slope = context.apply("Where", &[level, zero, slope], dtype, &shape);
    let angle = context.apply("Atan", &[slope], dtype, &shape);
    let below = context.apply("Less", &[y, zero], ElementType::Bool, &y_shape);
    let [half, back] = [std::f64::consts::PI, -std::f64::consts::PI].map(|turn| context.number(turn, dtype));
    let turn = context.apply("Where", &[below, back, half], dtype, &y_shape);
    let turned = context.apply("Add", &[angle, turn], dtype, &shape);
    let left = context.apply("Less", &[x, zero], ElementType::Bool, &x_shape);
    let result = context.apply("Where", &[left, turned, angle], dtype, &shape);
    context.bind(&ir.out, result)?;
    Ok(Lowered::Done)
}
