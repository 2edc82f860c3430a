//! Reversal of axes.
//!
//! # Source
//! ONNX `Slice` with a step of -1.

use burn_ir::{BaseOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::Result;
use crate::ir::{Attributes, Constant};

pub(super) const LOWERING: Lowering = Lowering { name: "flip", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Base::Flip", "Slice")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(BaseOperationIr::Flip(ir)) = family::base(operation) else { return Ok(Lowered::NotMine) };
    let count = ir.axes.len();
    let axes: Vec<i64> = ir.axes.iter().map(|axis| *axis as i64).collect();
    let operands = [vec![-1; count], vec![i64::MIN; count], axes, vec![-1; count]];
    let mut inputs = vec![context.input(&ir.input)?];
    inputs.extend(operands.map(|operand| context.constant(Constant::i64s(&operand))));
    context.finish(&ir.out, "Slice", &inputs, Attributes::new())?;
    Ok(Lowered::Done)
}
