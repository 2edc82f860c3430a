//! Cross products of vectors of three numbers: with `u = (1, 2, 0)` and `v = (2, 0, 1)`, `a[u] · b[v] - a[v] · b[u]`.
//!
//! # Source
//! ONNX has no such operator: `Gather`, `Mul`, `Sub`.

use burn_ir::{FloatOperationIr, OperationIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::{Constant, ElementType, ValueId, attributes};

pub(super) const LOWERING: Lowering = Lowering { name: "cross", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Float::Cross", "Gather, Mul, Sub")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Float(_, FloatOperationIr::Cross(ir)) = operation else { return Ok(Lowered::NotMine) };
    let (dtype, shape) = (ElementType::from_burn(ir.out.dtype)?, context.shape(&ir.out));
    let mut turned = |tensor: &TensorIr, order: [i64; 3]| -> Result<ValueId> {
        let value = context.input(tensor)?;
        let order = context.constant(Constant::i64s(&order));
        let tensor_shape = context.shape(tensor);
        let attributes = attributes([("axis", (ir.dim as i64).into())]);
        Ok(context.node("Gather", &[value, order], attributes, dtype, tensor_shape))
    };
    let (u, v) = ([1, 2, 0], [2, 0, 1]);
    let (au, bv) = (turned(&ir.lhs, u)?, turned(&ir.rhs, v)?);
    let (av, bu) = (turned(&ir.lhs, v)?, turned(&ir.rhs, u)?);
    let first = context.apply("Mul", &[au, bv], dtype, &shape);
    let second = context.apply("Mul", &[av, bu], dtype, &shape);
    let result = context.apply("Sub", &[first, second], dtype, &shape);
    context.bind(&ir.out, result)?;
    Ok(Lowered::Done)
}
