//! Concatenation.
//!
//! # Source
//! ONNX `Concat`.

use burn_ir::{BaseOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::Result;
use crate::ir::{ValueId, attributes};

pub(super) const LOWERING: Lowering = Lowering { name: "concat", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Base::Cat", "Concat")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(BaseOperationIr::Cat(ir)) = family::base(operation) else { return Ok(Lowered::NotMine) };
    let inputs = ir.tensors.iter().map(|tensor| context.input(tensor)).collect::<Result<Vec<ValueId>>>()?;
    context.finish(&ir.out, "Concat", &inputs, attributes([("axis", (ir.dim as i64).into())]))?;
    Ok(Lowered::Done)
}
