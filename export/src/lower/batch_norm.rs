//! Batch normalisation with given statistics.
//!
//! # Source
//! ONNX `BatchNormalization`.

use burn_ir::{ModuleOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::attributes;

pub(super) const LOWERING: Lowering = Lowering { name: "batch_norm", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Module::BatchNorm", "BatchNormalization")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Module(ModuleOperationIr::BatchNorm(ir)) = operation else { return Ok(Lowered::NotMine) };
    let mut inputs = Vec::new();
    for tensor in [&ir.x, &ir.gamma, &ir.beta, &ir.mean, &ir.variance] {
        inputs.push(context.input(tensor)?);
    }
    let attributes = attributes([("epsilon", ir.epsilon.elem::<f32>().into())]);
    context.finish(&ir.out, "BatchNormalization", &inputs, attributes)?;
    Ok(Lowered::Done)
}
