//! Images at another size.
//!
//! The nearest pixels of an axis of fixed size are Burn's own: `Gather` takes them where `Resize` would round to others.
//! Where the size is dynamic `Resize` finds them in 32-bit numbers, and beside a border it may take the neighbour.
//!
//! # Source
//! ONNX `Resize`, `Gather`; Lanczos, which ONNX lacks, is two products with the weights of its kernel.

use std::f64::consts::PI;

use burn_ir::{InterpolateModeIr, InterpolateOpIr, ModuleOperationIr, OperationIr};

use super::nearest;
use super::resample::{Factor, Matrix, along};
use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::{Attribute, Constant, ElementType, ValueId, attributes};
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "interpolate", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Module::Interpolate", "Resize | Gather | MatMul")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(ir) = interpolate(operation) else { return Ok(Lowered::NotMine) };
    let linear = if ir.options.align_corners { "align_corners" } else { "half_pixel" };
    let (mode, transformation, nearest) = match ir.options.mode {
        InterpolateModeIr::Nearest => ("nearest", "asymmetric", Some("floor")),
        InterpolateModeIr::NearestExact => ("nearest", "half_pixel", Some("round_prefer_ceil")),
        InterpolateModeIr::Bilinear => ("linear", linear, None),
        InterpolateModeIr::Bicubic => ("cubic", linear, None),
        InterpolateModeIr::Lanczos3 => {
            lanczos(context, ir)?;
            return Ok(Lowered::Done);
        }
    };
    let mut attributes = attributes([("mode", mode.into()), ("coordinate_transformation_mode", transformation.into())]);
    if let Some(nearest) = nearest {
        attributes.insert("nearest_mode".to_string(), nearest.into());
    }
    if mode == "cubic" {
        attributes.insert("cubic_coeff_a".to_string(), Attribute::Float(-0.75));
    }
    let mut value = context.input(&ir.x)?;
    let mut gathered = [false; 2];
    if nearest.is_some() {
        let middle = matches!(ir.options.mode, InterpolateModeIr::NearestExact);
        (value, gathered) = gather(context, value, middle);
    }
    if gathered == [true; 2] {
        context.bind(&ir.out, value)?;
        return Ok(Lowered::Done);
    }
    let mut inputs = vec![Some(value), None];
    match scales(context, gathered) {
        Some(scales) => inputs.push(Some(scales)),
        None => {
            let sizes = context.shape(&ir.out);
            inputs.extend([None, Some(context.integers(&sizes)?)]);
        }
    }
    let output = (ElementType::from_burn(ir.out.dtype)?, context.shape(&ir.out));
    let outputs = context.nodes("Resize", inputs, attributes, vec![output]);
    context.bind(&ir.out, outputs[0])?;
    Ok(Lowered::Done)
}

fn interpolate(operation: &OperationIr) -> Option<&InterpolateOpIr> {
    match operation {
        OperationIr::Module(ModuleOperationIr::Interpolate(ir)) => Some(ir),
        _ => None,
    }
}

/// Takes the pixels of the axes for which `Resize` would round to others, and says which these are.
fn gather(context: &mut Context<'_>, mut value: ValueId, middle: bool) -> (ValueId, [bool; 2]) {
    let sizes = |axis: usize, context: &Context<'_>| {
        let from = context.observe(|op| Some(interpolate(op)?.x.shape[axis + 2] as i64)).fixed();
        let to = context.observe(|op| Some(interpolate(op)?.output_size[axis] as i64)).fixed();
        Some((usize::try_from(from?).ok()?, usize::try_from(to?).ok()?))
    };
    let mut gathered = [false; 2];
    for (axis, gathered) in gathered.iter_mut().enumerate() {
        let Some((from, to)) = sizes(axis, context) else { continue };
        if nearest::everywhere(from, to, middle) {
            continue;
        }
        let pixels = context.constant(Constant::i64s(&nearest::pixels(from, to, middle)));
        let (dtype, mut shape) = (context.dtype(value), context.value_shape(value));
        shape[axis + 2] = Dim::Fixed(to as i64);
        let along = attributes([("axis", (axis as i64 + 2).into())]);
        value = context.node("Gather", &[value, pixels], along, dtype, shape);
        *gathered = true;
    }
    (value, gathered)
}

/// Constant scales, where they say it all: sizes that are fixed, or a whole multiple of those of the image. An axis that
/// is gathered has its size already.
fn scales(context: &mut Context<'_>, gathered: [bool; 2]) -> Option<ValueId> {
    let to = [0, 1].map(|axis| context.integer(|op| Some(interpolate(op)?.output_size[axis] as i64)));
    let mut scales = vec![1.0; 2];
    for (axis, to) in to.iter().enumerate() {
        if gathered[axis] {
            scales.push(1.0);
            continue;
        }
        let from = context.observe(|op| Some(interpolate(op)?.x.shape[axis + 2] as i64));
        let multiple = context.observe(|op| {
            let ir = interpolate(op)?;
            let (to, from) = (ir.output_size[axis], ir.x.shape[axis + 2]);
            Some(if to % from == 0 { to / from } else { 0 } as i64)
        });
        match (to.fixed(), from.fixed(), multiple.fixed()) {
            (Some(to), Some(from), _) => {
                let scale = to as f32 / from as f32;
                // Runtimes multiply in either width, and every one of them must come to the same size.
                let found = ((from as f32 * scale).floor() as f64, (from as f64 * f64::from(scale)).floor());
                if found != (to as f64, to as f64) {
                    return None;
                }
                scales.push(scale);
            }
            (_, _, Some(multiple)) if multiple > 0 => scales.push(multiple as f32),
            _ => return None,
        }
    }
    Some(context.constant(Constant::f32(vec![4], &scales)))
}

fn lanczos(context: &mut Context<'_>, ir: &InterpolateOpIr) -> Result<()> {
    let from = context.fixed_shape(&ir.x, 2..4)?;
    let mut value = context.input(&ir.x)?;
    for axis in [1, 0] {
        let matrix = lanczos_matrix(from[axis], ir.output_size[axis], ir.options.align_corners);
        value = along(context, value, axis + 2, &Factor::Known(matrix));
    }
    context.bind(&ir.out, value)
}

/// Six weights a row, those beyond the image left out and the others scaled to a sum of one.
fn lanczos_matrix(from: usize, to: usize, align_corners: bool) -> Matrix {
    let mut numbers = vec![0.0; from * to];
    for (row, weights) in numbers.chunks_mut(from.max(1)).enumerate() {
        let center = if align_corners {
            row as f64 * (from as f64 - 1.0) / (to.max(2) - 1) as f64
        } else {
            (row as f64 + 0.5) * from as f64 / to as f64 - 0.5
        };
        let first = center.floor() as i64 - 2;
        for tap in first..first + 6 {
            if let Some(weight) = usize::try_from(tap).ok().and_then(|tap| weights.get_mut(tap)) {
                *weight = lanczos_weight(center - tap as f64);
            }
        }
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
    }
    Matrix { to, from, numbers }
}

fn lanczos_weight(distance: f64) -> f64 {
    if distance == 0.0 {
        return 1.0;
    }
    if distance.abs() >= 3.0 {
        return 0.0;
    }
    let angle = PI * distance;
    angle.sin() * (angle / 3.0).sin() * 3.0 / (angle * angle)
}
