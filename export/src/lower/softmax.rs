//! Softmax, log-softmax and softmin, which is the softmax of `-x`.
//!
//! # Source
//! ONNX `Softmax`, `LogSoftmax`, `Neg`.

use burn_ir::{ActivationOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::{Attributes, attributes};

pub(super) const LOWERING: Lowering = Lowering { name: "softmax", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Activation::Softmax", "Softmax"),
    Operation::new("Activation::LogSoftmax", "LogSoftmax"),
    Operation::new("Activation::Softmin", "Neg, Softmax"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let (op, ir) = match operation {
        OperationIr::Activation(ActivationOperationIr::Softmax(ir)) => ("Softmax", ir),
        OperationIr::Activation(ActivationOperationIr::Softmin(ir)) => ("Softmax", ir),
        OperationIr::Activation(ActivationOperationIr::LogSoftmax(ir)) => ("LogSoftmax", ir),
        _ => return Ok(Lowered::NotMine),
    };
    let mut input = context.input(&ir.input)?;
    if matches!(operation, OperationIr::Activation(ActivationOperationIr::Softmin(_))) {
        input = context.same("Neg", &[input], Attributes::new());
    }
    context.finish(&ir.out, op, &[input], attributes([("axis", (ir.axis as i64).into())]))?;
    Ok(Lowered::Done)
}
