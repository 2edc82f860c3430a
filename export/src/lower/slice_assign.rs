//! Writes into a slice: what lies before it, the new values, what lies behind it.
//!
//! Several axes nest: the slice of the first axis is cut out, written along the others, and put back. A slice with
//! another step than one is an exchange of rows, for which the axis must be fixed.
//!
//! # Source
//! ONNX `Slice`, `Concat`, `Gather`.

use burn_ir::{BaseOperationIr, OperationIr, SliceAssignOpIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::ir::{Constant, ValueId, attributes};
use crate::shapes::Dim;
use crate::{Error, Result};

pub(super) const LOWERING: Lowering = Lowering { name: "slice_assign", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Base::SliceAssign", "Slice, Concat, Gather")];

/// The part of an axis that is written.
struct Part {
    axis: usize,
    start: Dim,
    end: Dim,
    step: i64,
    axis_size: Dim,
    /// How many elements lie behind the part.
    behind: Dim,
    /// How many elements are written.
    size: Dim,
}

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(ir) = slice_assign(operation) else { return Ok(Lowered::NotMine) };
    let mut parts = Vec::new();
    for axis in 0..ir.ranges.len() {
        let part = part(context, ir, axis)?;
        if part.step != 1 || part.start != Dim::Fixed(0) || part.behind != Dim::Fixed(0) {
            parts.push(part);
        }
    }
    let (tensor, value) = (context.input(&ir.tensor)?, context.input(&ir.value)?);
    let result = assign(context, tensor, &parts, value)?;
    context.bind(&ir.out, result)?;
    Ok(Lowered::Done)
}

fn slice_assign(operation: &OperationIr) -> Option<&SliceAssignOpIr> {
    match family::base(operation) {
        Some(BaseOperationIr::SliceAssign(ir)) => Some(ir),
        _ => None,
    }
}

fn part(context: &mut Context<'_>, ir: &SliceAssignOpIr, axis: usize) -> Result<Part> {
    let step = context.integer(|op| Some(slice_assign(op)?.ranges.get(axis)?.step as i64));
    let Some(step) = step.fixed() else {
        return Err(context.unsupported(format!("the step of axis {axis} depends on a dynamic size")));
    };
    context.integer(|op| Some(slice_assign(op)?.ranges.get(axis)?.start as i64));
    context.integer(|op| slice_assign(op)?.ranges.get(axis)?.end.map(|end| end as i64));
    let range = |op: &OperationIr| {
        let ir = slice_assign(op)?;
        let size = ir.tensor.shape[axis];
        let range = ir.ranges.get(axis)?.to_range(size);
        Some((range.start as i64, range.end as i64, size as i64))
    };
    Ok(Part {
        axis,
        start: context.observe(|op| Some(range(op)?.0)),
        end: context.observe(|op| Some(range(op)?.1)),
        step,
        axis_size: context.shape(&ir.tensor)[axis].clone(),
        behind: context.observe(|op| range(op).map(|(_, end, size)| size - end)),
        size: context.shape(&ir.value)[axis].clone(),
    })
}

fn assign(context: &mut Context<'_>, tensor: ValueId, parts: &[Part], value: ValueId) -> Result<ValueId> {
    let Some((part, rest)) = parts.split_first() else { return Ok(value) };
    let value = if rest.is_empty() {
        value
    } else {
        let ends = ends(context, part)?;
        let inner = context.slice(tensor, part.axis, [&ends.0, &ends.1], part.step, part.size.clone())?;
        assign(context, inner, rest, value)?
    };
    if part.step == 1 { between(context, tensor, part, value) } else { exchange(context, tensor, part, value) }
}

/// The ends of the slice as ONNX counts them: backwards from the last element, to before the first.
fn ends(context: &Context<'_>, part: &Part) -> Result<(Dim, Dim)> {
    if part.step > 0 {
        return Ok((part.start.clone(), part.end.clone()));
    }
    let (Some(start), Some(end)) = (part.start.fixed(), part.end.fixed()) else { return Err(dynamic(context, part)) };
    let before = if start == 0 { i64::MIN } else { start - 1 };
    Ok((Dim::Fixed((end - 1).max(0)), Dim::Fixed(before)))
}

fn dynamic(context: &Context<'_>, part: &Part) -> Error {
    context.unsupported(format!("the step of axis {} is not 1 and its size is dynamic", part.axis))
}

fn between(context: &mut Context<'_>, tensor: ValueId, part: &Part, value: ValueId) -> Result<ValueId> {
    let mut pieces = Vec::new();
    if part.start != Dim::Fixed(0) {
        pieces.push(context.slice(tensor, part.axis, [&Dim::Fixed(0), &part.start], 1, part.start.clone())?);
    }
    pieces.push(value);
    if part.behind != Dim::Fixed(0) {
        let ends = [&part.end, &Dim::Fixed(i64::MAX)];
        pieces.push(context.slice(tensor, part.axis, ends, 1, part.behind.clone())?);
    }
    let (dtype, shape) = (context.dtype(tensor), context.value_shape(tensor));
    Ok(context.node("Concat", &pieces, attributes([("axis", (part.axis as i64).into())]), dtype, shape))
}

/// Reads every row from the old tensor or from the values behind it.
fn exchange(context: &mut Context<'_>, tensor: ValueId, part: &Part, value: ValueId) -> Result<ValueId> {
    let ends = (part.start.fixed(), part.end.fixed(), part.axis_size.fixed(), part.size.fixed());
    let (Some(start), Some(end), Some(size), Some(count)) = ends else {
        return Err(dynamic(context, part));
    };
    let first = if part.step > 0 { start } else { end - 1 };
    let mut rows: Vec<i64> = (0..size).collect();
    for position in 0..count {
        if let Some(row) = usize::try_from(first + position * part.step).ok().and_then(|row| rows.get_mut(row)) {
            *row = size + position;
        }
    }
    let (dtype, shape) = (context.dtype(tensor), context.value_shape(tensor));
    let mut longer = shape.clone();
    longer[part.axis] = Dim::Fixed(size + count);
    let axis = attributes([("axis", (part.axis as i64).into())]);
    let both = context.node("Concat", &[tensor, value], axis.clone(), dtype, longer);
    let rows = context.constant(Constant::i64s(&rows));
    Ok(context.node("Gather", &[both, rows], axis, dtype, shape))
}
