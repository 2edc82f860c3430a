//! Padding.
//!
//! # Source
//! ONNX `Pad`.

use burn_ir::{NumericOperationIr, OperationIr, PadModeIr, PadOpIr, ScalarIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::Result;
use crate::ir::{ElementType, attributes};
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "pad", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Numeric::Pad", "Pad")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(ir) = pad(operation) else { return Ok(Lowered::NotMine) };
    let axes = 0..ir.padding.len();
    let mut pads: Vec<Dim> =
        axes.clone().map(|axis| context.integer(|op| Some(pad(op)?.padding.get(axis)?.0 as i64))).collect();
    pads.extend(axes.map(|axis| context.integer(|op| Some(pad(op)?.padding.get(axis)?.1 as i64))));
    let mut inputs = vec![context.input(&ir.input)?, context.integers(&pads)?];
    let mode = match &ir.mode {
        PadModeIr::Constant(_) => {
            inputs.extend(context.rank_zero_of(number, ElementType::from_burn(ir.input.dtype)?)?);
            "constant"
        }
        PadModeIr::Reflect => "reflect",
        PadModeIr::Edge => "edge",
    };
    context.finish(&ir.out, "Pad", &inputs, attributes([("mode", mode.into())]))?;
    Ok(Lowered::Done)
}

fn pad(operation: &OperationIr) -> Option<&PadOpIr> {
    match family::numeric(operation) {
        Some(NumericOperationIr::Pad(ir)) => Some(ir),
        _ => None,
    }
}

fn number(operation: &OperationIr) -> Option<ScalarIr> {
    match pad(operation)?.mode {
        PadModeIr::Constant(value) => Some(value),
        PadModeIr::Reflect | PadModeIr::Edge => None,
    }
}
