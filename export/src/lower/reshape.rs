//! Reshape: `0` and `-1` where they say it all, a computed shape where they do not.
//!
//! # Source
//! ONNX `Reshape`.

use burn_ir::{BaseOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::Result;
use crate::ir::{Attributes, Constant};
use crate::shapes::{Dim, reshape_target};

pub(super) const LOWERING: Lowering = Lowering { name: "reshape", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Base::Reshape", "Reshape")];

/// The opset that lets a 0 in the shape be a size; before, it copies the size of the input.
const ZERO_SINCE: i64 = 14;

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(BaseOperationIr::Reshape(ir)) = family::base(operation) else { return Ok(Lowered::NotMine) };
    let input = context.input(&ir.input)?;
    let to = context.shape(&ir.out);
    let mut attributes = Attributes::new();
    let target = match reshape_target(&context.shape(&ir.input), &to) {
        Some(target) => context.constant(Constant::i64s(&target)),
        None => {
            if to.contains(&Dim::Fixed(0)) {
                if context.opset() < ZERO_SINCE {
                    let reason = format!("ONNX takes a size of 0 for itself from opset {ZERO_SINCE} on");
                    return Err(context.unsupported(format!("{reason}; choose one with `Export::opset`")));
                }
                attributes.insert("allowzero".to_string(), 1.into());
            }
            context.integers(&to)?
        }
    };
    context.finish(&ir.out, "Reshape", &[input, target], attributes)?;
    Ok(Lowered::Done)
}
