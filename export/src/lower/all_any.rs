//! Whether all or any elements are true, or not zero.
//!
//! # Source
//! ONNX `ReduceMin`, `ReduceMax` of integers, for those of truth values are of opset 20.

use burn_ir::{BaseOperationIr, OperationIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation, family, reduce};
use crate::Result;
use crate::ir::ElementType;

pub(super) const LOWERING: Lowering = Lowering { name: "all_any", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Base::All", "Cast, Reshape, ReduceMin"),
    Operation::new("Base::Any", "Cast, Reshape, ReduceMax"),
    Operation::new("Base::AllDim", "Cast, ReduceMin"),
    Operation::new("Base::AnyDim", "Cast, ReduceMax"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    match family::base(operation) {
        Some(BaseOperationIr::All(ir)) => wire(context, "ReduceMin", &ir.input, None, &ir.out)?,
        Some(BaseOperationIr::Any(ir)) => wire(context, "ReduceMax", &ir.input, None, &ir.out)?,
        Some(BaseOperationIr::AllDim(ir)) => wire(context, "ReduceMin", &ir.input, Some(ir.axis), &ir.out)?,
        Some(BaseOperationIr::AnyDim(ir)) => wire(context, "ReduceMax", &ir.input, Some(ir.axis), &ir.out)?,
        _ => return Ok(Lowered::NotMine),
    }
    Ok(Lowered::Done)
}

fn wire(context: &mut Context<'_>, op: &str, input: &TensorIr, axis: Option<usize>, out: &TensorIr) -> Result<()> {
    let value = context.input(input)?;
    let truth = context.cast(value, ElementType::Bool);
    let number = context.cast(truth, ElementType::I32);
    let (number, axis) = match axis {
        Some(axis) => (number, axis),
        None => (reduce::flat(context, number), 0),
    };
    let reduced = reduce::reduce(context, op, number, &[axis]);
    context.bind_cast(out, reduced)
}
