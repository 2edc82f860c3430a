//! The angle of the point `(x, y)`: `atan(y / x)`, moved by π left of the vertical axis. The sign of a zero `y` is not
//! seen, nor that of a zero `x` at the origin.
//!
//! # Source
//! ONNX has no such operator: `Div`, `Atan`, `Add`, and `Where` for what has no quotient.

use burn_ir::{FloatOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::{Attributes, ElementType};

pub(super) const LOWERING: Lowering = Lowering { name: "arc_tan2", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] =
    &[Operation::new("Float::ArcTan2", "Div, Abs, Sign, Mul, Atan, Add, Equal, Less, Where")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Float(_, FloatOperationIr::ArcTan2(ir)) = operation else { return Ok(Lowered::NotMine) };
    let (dtype, shape) = (ElementType::from_burn(ir.out.dtype)?, context.shape(&ir.out));
    let (y_shape, x_shape) = (context.shape(&ir.lhs), context.shape(&ir.rhs));
    let (y, x) = (context.input(&ir.lhs)?, context.input(&ir.rhs)?);
    let zero = context.number(0.0, dtype);
    // A quotient by a negative zero would point down where the point lies above.
    let upright = context.apply("Equal", &[x, zero], ElementType::Bool, &x_shape);
    let x = context.apply("Where", &[upright, zero, x], dtype, &x_shape);
    let slope = context.apply("Div", &[y, x], dtype, &shape);
    // On the diagonals the slope is that of the signs, also where both are infinite, and zero at the origin.
    let [rise, run] = [y, x].map(|side| context.same("Abs", &[side], Attributes::new()));
    let diagonal = context.apply("Equal", &[rise, run], ElementType::Bool, &shape);
    let [up, right] = [y, x].map(|side| context.same("Sign", &[side], Attributes::new()));
    let signs = context.apply("Mul", &[up, right], dtype, &shape);
    let slope = context.apply("Where", &[diagonal, signs, slope], dtype, &shape);
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
