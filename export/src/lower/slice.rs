//! Slices, with open ends where an end follows the size of the axis.
//!
//! # Source
//! ONNX `Slice`.

use burn_ir::{BaseOperationIr, OperationIr, SliceOpIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::Result;
use crate::ir::Attributes;
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "slice", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Base::Slice", "Slice")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(ir) = slice(operation) else { return Ok(Lowered::NotMine) };
    let shape = context.shape(&ir.tensor);
    let (mut starts, mut ends, mut axes, mut steps) = (vec![], vec![], vec![], vec![]);
    for (axis, range) in ir.ranges.iter().enumerate() {
        let step = context.integer(|op| Some(slice(op)?.ranges.get(axis)?.step as i64));
        let Some(step) = step.fixed() else {
            return Err(context.unsupported(format!("the step of axis {axis} depends on a dynamic size")));
        };
        let start = context.integer(|op| Some(slice(op)?.ranges.get(axis)?.start as i64));
        let read_end = |op: &OperationIr| slice(op)?.ranges.get(axis)?.end.map(|end| end as i64);
        let end = range.end.map(|_| context.integer(read_end));
        let size = &shape[axis];
        let end = end.filter(|end| end != size);
        if step == 1 && start == Dim::Fixed(0) && end.is_none() {
            continue;
        }
        let end = end.unwrap_or(Dim::Fixed(i64::MAX));
        let (start, end) = if step > 0 { (start, end) } else { reversed(&start, &end) };
        starts.push(start);
        ends.push(end);
        axes.push(Dim::Fixed(axis as i64));
        steps.push(Dim::Fixed(step));
    }
    let value = context.input(&ir.tensor)?;
    if axes.is_empty() {
        context.finish(&ir.out, "Identity", &[value], Attributes::new())?;
        return Ok(Lowered::Done);
    }
    let mut inputs = vec![value];
    for operand in [&starts, &ends, &axes, &steps] {
        inputs.push(context.integers(operand)?);
    }
    if steps.iter().all(|step| *step == Dim::Fixed(1)) {
        inputs.pop();
    }
    context.finish(&ir.out, "Slice", &inputs, Attributes::new())?;
    Ok(Lowered::Done)
}

fn slice(operation: &OperationIr) -> Option<&SliceOpIr> {
    match family::base(operation) {
        Some(BaseOperationIr::Slice(ir)) => Some(ir),
        _ => None,
    }
}

/// Burn walks a reversed range from its last element down to `start`; ONNX wants the last element and an open end.
fn reversed(start: &Dim, end: &Dim) -> (Dim, Dim) {
    let before = |dim: &Dim, zero: i64| match dim {
        Dim::Fixed(0) => Dim::Fixed(zero),
        Dim::Fixed(i64::MAX) => Dim::Fixed(i64::MAX),
        Dim::Fixed(value) => Dim::Fixed(value - 1),
        Dim::Affine(affine) => {
            let mut affine = affine.clone();
            affine.constant -= affine.divisor;
            Dim::Affine(affine)
        }
        Dim::Opaque(observed) => Dim::Opaque(observed.iter().map(|value| value - 1).collect()),
    };
    (before(end, 0), before(start, i64::MIN))
}
