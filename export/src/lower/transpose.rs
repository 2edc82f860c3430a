//! Permutations of axes.
//!
//! # Source
//! ONNX `Transpose`.

use burn_ir::{BaseOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::Result;
use crate::ir::{Attribute, attributes};

pub(super) const LOWERING: Lowering = Lowering { name: "transpose", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] =
    &[Operation::new("Base::SwapDims", "Transpose"), Operation::new("Base::Permute", "Transpose")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let (input, out, axes) = match family::base(operation) {
        Some(BaseOperationIr::SwapDims(ir)) => {
            let mut axes: Vec<usize> = (0..ir.input.shape.num_dims()).collect();
            axes.swap(ir.dim1, ir.dim2);
            (&ir.input, &ir.out, axes)
        }
        Some(BaseOperationIr::Permute(ir)) => (&ir.input, &ir.out, ir.axes.clone()),
        _ => return Ok(Lowered::NotMine),
    };
    let value = context.input(input)?;
    let axes = axes.into_iter().map(|axis| axis as i64).collect();
    context.finish(out, "Transpose", &[value], attributes([("perm", Attribute::Ints(axes))]))?;
    Ok(Lowered::Done)
}
