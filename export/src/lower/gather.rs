//! Reads by index: whole slices, single elements, points of several axes, rows of an embedding.
//!
//! # Source
//! ONNX `Gather`, `GatherElements`, `GatherND`.

use burn_ir::{BaseOperationIr, ModuleOperationIr, OperationIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::Result;
use crate::ir::{Attributes, ElementType, ValueId, attributes};

pub(super) const LOWERING: Lowering = Lowering { name: "gather", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Base::Select", "Gather"),
    Operation::new("Base::Gather", "GatherElements"),
    Operation::new("Base::GatherNd", "GatherND"),
    Operation::new("Module::Embedding", "Gather"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    if let Some(BaseOperationIr::GatherNd(ir)) = family::base(operation) {
        let indices = context.input(&ir.indices)?;
        let inputs = [context.input(&ir.data)?, context.cast(indices, ElementType::I64)];
        context.finish(&ir.out, "GatherND", &inputs, Attributes::new())?;
        return Ok(Lowered::Done);
    }
    let (op, tensor, indices, axis, out) = match operation {
        OperationIr::Module(ModuleOperationIr::Embedding(ir)) => ("Gather", &ir.weights, &ir.indices, 0, &ir.out),
        _ => match family::base(operation) {
            Some(BaseOperationIr::Select(ir)) => ("Gather", &ir.tensor, &ir.indices, ir.dim, &ir.out),
            Some(BaseOperationIr::Gather(ir)) => ("GatherElements", &ir.tensor, &ir.indices, ir.dim, &ir.out),
            _ => return Ok(Lowered::NotMine),
        },
    };
    let inputs = [context.input(tensor)?, index(context, indices)?];
    context.finish(out, op, &inputs, attributes([("axis", (axis as i64).into())]))?;
    Ok(Lowered::Done)
}

/// ONNX takes indices of 32 or 64 bits only.
pub(super) fn index(context: &mut Context<'_>, indices: &TensorIr) -> Result<ValueId> {
    let value = context.input(indices)?;
    match context.dtype(value) {
        ElementType::I32 | ElementType::I64 => Ok(value),
        _ => Ok(context.cast(value, ElementType::I64)),
    }
}
