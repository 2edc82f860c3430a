//! Samples of images at given places.
//!
//! # Source
//! ONNX `GridSample`, opset 16; opset 20 gave the modes other names.

use burn_ir::{FloatOperationIr, GridSamplePaddingModeIr, InterpolateModeIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::attributes;

pub(super) const LOWERING: Lowering = Lowering { name: "grid_sample", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Float::GridSample2d", "GridSample").since(16)];

/// The opset that brought the operator.
const SINCE: i64 = 16;

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Float(_, FloatOperationIr::GridSample2d(ir)) = operation else { return Ok(Lowered::NotMine) };
    if context.opset() < SINCE {
        return Err(context
            .unsupported(format!("ONNX knows `GridSample` from opset {SINCE} on; choose one with `Export::opset`")));
    }
    let renamed = context.opset() >= 20;
    let mode = match ir.options.mode {
        InterpolateModeIr::Nearest => "nearest",
        InterpolateModeIr::Bilinear if renamed => "linear",
        InterpolateModeIr::Bilinear => "bilinear",
        InterpolateModeIr::Bicubic if renamed => "cubic",
        InterpolateModeIr::Bicubic => "bicubic",
        InterpolateModeIr::NearestExact | InterpolateModeIr::Lanczos3 => {
            return Err(context.unsupported("ONNX samples with the nearest pixel, linearly or with cubics only"));
        }
    };
    let padding = match ir.options.padding_mode {
        GridSamplePaddingModeIr::Zeros => "zeros",
        GridSamplePaddingModeIr::Border => "border",
        GridSamplePaddingModeIr::Reflection => "reflection",
    };
    let inputs = [context.input(&ir.tensor)?, context.input(&ir.grid)?];
    let attributes = attributes([
        ("mode", mode.into()),
        ("padding_mode", padding.into()),
        ("align_corners", i64::from(ir.options.align_corners).into()),
    ]);
    context.finish(&ir.out, "GridSample", &inputs, attributes)?;
    Ok(Lowered::Done)
}
