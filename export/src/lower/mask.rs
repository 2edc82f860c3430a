//! Choices by a boolean mask.
//!
//! # Source
//! ONNX `Where`; between truth values `(mask ∧ chosen) ∨ (¬mask ∧ kept)`, for few runtimes choose those.

use burn_ir::{BaseOperationIr, OperationIr, ScalarIr};

use super::{Context, Lowered, Lowering, Operation, family, widen};
use crate::Result;
use crate::ir::{Attributes, ElementType};

pub(super) const LOWERING: Lowering = Lowering { name: "mask", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Base::MaskFill", "Where | And, Or, Not"),
    Operation::new("Base::MaskWhere", "Where | And, Or, Not"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let (tensor, mask, out) = match family::base(operation) {
        Some(BaseOperationIr::MaskFill(ir)) => (&ir.tensor, &ir.mask, &ir.out),
        Some(BaseOperationIr::MaskWhere(ir)) => (&ir.tensor, &ir.mask, &ir.out),
        _ => return Ok(Lowered::NotMine),
    };
    let chosen = match family::base(operation) {
        Some(BaseOperationIr::MaskFill(ir)) => context.scalar_of(number, ElementType::from_burn(ir.tensor.dtype)?)?,
        Some(BaseOperationIr::MaskWhere(ir)) => Some(context.input(&ir.value)?),
        _ => None,
    };
    let Some(chosen) = chosen else { return Ok(Lowered::NotMine) };
    let (mask, kept) = (context.input(mask)?, context.input(tensor)?);
    let (dtype, shape) = (context.dtype(kept), context.shape(out));
    if dtype == ElementType::Bool {
        let mask_shape = context.value_shape(mask);
        let rest = context.apply("Not", &[mask], dtype, &mask_shape);
        let taken = context.apply("And", &[mask, chosen], dtype, &shape);
        let kept = context.apply("And", &[rest, kept], dtype, &shape);
        context.finish(out, "Or", &[taken, kept], Attributes::new())?;
        return Ok(Lowered::Done);
    }
    let wide = widen::widened(dtype);
    let (chosen, kept) = (context.cast(chosen, wide), context.cast(kept, wide));
    let result = context.apply("Where", &[mask, chosen, kept], wide, &shape);
    context.bind_cast(out, result)?;
    Ok(Lowered::Done)
}

fn number(operation: &OperationIr) -> Option<ScalarIr> {
    match family::base(operation) {
        Some(BaseOperationIr::MaskFill(ir)) => Some(ir.value),
        _ => None,
    }
}
