//! Reshape: `0` and `-1` where they say it all, a computed shape where they do not.
//!
//! # Source
//! ONNX `Reshape`.

use burn_ir::{BaseOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::Result;
use crate::ir::{Attributes, Constant};
use crate::shapes::reshape_target;

pub(super) const LOWERING: Lowering = Lowering { name: "reshape", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Base::Reshape", "Reshape")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(BaseOperationIr::Reshape(ir)) = family::base(operation) else { return Ok(Lowered::NotMine) };
    let input = context.input(&ir.input)?;
    let to = context.shape(&ir.out);
    let target = match reshape_target(&context.shape(&ir.input), &to) {
        Some(target) => context.constant(Constant::i64s(&target)),
        None => context.integers(&to)?,
    };
    context.finish(&ir.out, "Reshape", &[input, target], Attributes::new())?;
    Ok(Lowered::Done)
}
