//! Arithmetic of a tensor and a number, which may follow the dynamic sizes.
//!
//! # Source
//! ONNX `Add`, `Sub`, `Mul`, `Div`, `Pow`.

use burn_ir::{FloatOperationIr, NumericOperationIr, OperationIr, ScalarOpIr};

use super::{Context, Lowered, Lowering, Operation, arithmetic, family, widen};
use crate::Result;

pub(super) const LOWERING: Lowering = Lowering { name: "scalar", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Numeric::AddScalar", "Add"),
    Operation::new("Numeric::SubScalar", "Sub"),
    Operation::new("Numeric::MulScalar", "Mul"),
    Operation::new("Numeric::DivScalar", "Div"),
    Operation::new("Numeric::PowiScalar", "Pow"),
    Operation::new("Float::PowfScalar", "Pow"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some((op, scalar)) = operator(operation) else { return Ok(Lowered::NotMine) };
    let mut tensor = context.input(&scalar.lhs)?;
    if arithmetic::widens(context.opset(), op) {
        tensor = widen::input(context, &scalar.lhs)?;
    }
    let dtype = context.dtype(tensor);
    let Some(number) = context.scalar_of(|op| Some(operator(op)?.1.rhs), dtype)? else { return Ok(Lowered::NotMine) };
    let shape = context.shape(&scalar.out);
    let result = context.apply(op, &[tensor, number], dtype, &shape);
    context.bind_cast(&scalar.out, result)?;
    Ok(Lowered::Done)
}

fn operator(operation: &OperationIr) -> Option<(&'static str, &ScalarOpIr)> {
    match operation {
        OperationIr::Float(_, FloatOperationIr::PowfScalar(scalar)) => Some(("Pow", scalar)),
        _ => match family::numeric(operation)? {
            NumericOperationIr::AddScalar(scalar) => Some(("Add", scalar)),
            NumericOperationIr::SubScalar(scalar) => Some(("Sub", scalar)),
            NumericOperationIr::MulScalar(scalar) => Some(("Mul", scalar)),
            NumericOperationIr::DivScalar(scalar) => Some(("Div", scalar)),
            NumericOperationIr::PowiScalar(scalar) => Some(("Pow", scalar)),
            _ => None,
        },
    }
}
