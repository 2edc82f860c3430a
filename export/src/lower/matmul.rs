//! Matrix products.
//!
//! # Source
//! ONNX `MatMul`.

use burn_ir::{FloatOperationIr, IntOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::Attributes;

pub(super) const LOWERING: Lowering = Lowering { name: "matmul", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] =
    &[Operation::new("Float::Matmul", "MatMul"), Operation::new("Int::Matmul", "MatMul").beyond_tract()];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let ir = match operation {
        OperationIr::Float(_, FloatOperationIr::Matmul(ir)) | OperationIr::Int(IntOperationIr::Matmul(ir)) => ir,
        _ => return Ok(Lowered::NotMine),
    };
    let inputs = [context.input(&ir.lhs)?, context.input(&ir.rhs)?];
    context.finish(&ir.out, "MatMul", &inputs, Attributes::new())?;
    Ok(Lowered::Done)
}
