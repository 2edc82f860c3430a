//! Linear layers: `x · W + b`.
//!
//! # Source
//! ONNX `MatMul`, `Add`; the pass `fuse_gemm` makes `Gemm` of them where the rank is 2.

use burn_ir::{ModuleOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::{Attributes, ElementType};

pub(super) const LOWERING: Lowering = Lowering { name: "linear", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Module::Linear", "MatMul, Add")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Module(ModuleOperationIr::Linear(ir)) = operation else { return Ok(Lowered::NotMine) };
    let inputs = [context.input(&ir.x)?, context.input(&ir.weight)?];
    let Some(bias) = &ir.bias else {
        context.finish(&ir.out, "MatMul", &inputs, Attributes::new())?;
        return Ok(Lowered::Done);
    };
    let shape = context.shape(&ir.out);
    let product = context.node("MatMul", &inputs, Attributes::new(), ElementType::from_burn(ir.out.dtype)?, shape);
    let bias = context.input(bias)?;
    context.finish(&ir.out, "Add", &[product, bias], Attributes::new())?;
    Ok(Lowered::Done)
}
