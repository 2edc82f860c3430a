//! Slices, with open ends where an end follows the size of the axis, and ends from behind where it stays before it.
//!
//! # Source
//! ONNX `Slice`.

use burn_ir::{BaseOperationIr, OperationIr, SliceOpIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::Result;
use crate::ir::{Attributes, ValueId};
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "slice", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Base::Slice", "Slice")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(ir) = slice(operation) else { return Ok(Lowered::NotMine) };
    let mut shape = context.shape(&ir.tensor);
    let (mut cut, mut kept) = (Operands::default(), Operands::default());
    for (axis, range) in ir.ranges.iter().enumerate() {
        let step = context.integer(|op| Some(slice(op)?.ranges.get(axis)?.step as i64));
        let Some(step) = step.fixed() else {
            return Err(context.unsupported(format!("the step of axis {axis} depends on a dynamic size")));
        };
        let read_start = |op: &OperationIr| Some(slice(op)?.ranges.get(axis)?.start as i64);
        let read_end = |op: &OperationIr| slice(op)?.ranges.get(axis)?.end.map(|end| end as i64);
        let start = context.integer(read_start);
        let start = from_behind(context, axis, start, read_start);
        let end = range.end.map(|_| context.integer(read_end));
        let end = end.filter(|end| *end != shape[axis]);
        if step == 1 && start == Dim::Fixed(0) && end.is_none() {
            continue;
        }
        let end = end.map_or(Dim::Fixed(i64::MAX), |end| from_behind(context, axis, end, read_end));
        if step > 0 {
            kept.push(axis, start, end, step);
        } else if matches!(end, Dim::Fixed(..0)) {
            // ONNX walks from an element before the first as from the first, where Burn walks over none.
            cut.push(axis, start, end, 1);
            shape[axis] = context.observe(|op| Some(read_end(op)? - read_start(op)?));
            kept.push(axis, Dim::Fixed(i64::MAX), Dim::Fixed(i64::MIN), step);
        } else {
            let (first, last) = reversed(&start, &end);
            kept.push(axis, first, last, step);
        }
    }
    let mut value = context.input(&ir.tensor)?;
    if !cut.axes.is_empty() {
        let inputs = cut.inputs(context, value)?;
        value = context.apply("Slice", &inputs, context.dtype(value), &shape);
    }
    if kept.axes.is_empty() {
        context.finish(&ir.out, "Identity", &[value], Attributes::new())?;
        return Ok(Lowered::Done);
    }
    let inputs = kept.inputs(context, value)?;
    context.finish(&ir.out, "Slice", &inputs, Attributes::new())?;
    Ok(Lowered::Done)
}

/// The operands of a `Slice`.
#[derive(Default)]
struct Operands {
    starts: Vec<Dim>,
    ends: Vec<Dim>,
    axes: Vec<Dim>,
    steps: Vec<Dim>,
}

impl Operands {
    fn push(&mut self, axis: usize, start: Dim, end: Dim, step: i64) {
        self.starts.push(start);
        self.ends.push(end);
        self.axes.push(Dim::Fixed(axis as i64));
        self.steps.push(Dim::Fixed(step));
    }

    fn inputs(&self, context: &mut Context<'_>, value: ValueId) -> Result<Vec<ValueId>> {
        let mut inputs = vec![value];
        for operand in [&self.starts, &self.ends, &self.axes, &self.steps] {
            inputs.push(context.integers(operand)?);
        }
        if self.steps.iter().all(|step| *step == Dim::Fixed(1)) {
            inputs.pop();
        }
        Ok(inputs)
    }
}

/// An end as ONNX counts it from behind, where every trace has it equally far before the end of a dynamic axis: at
/// sizes below that distance it stands before the first element, as in Burn, where a difference of sizes would not.
fn from_behind(context: &Context<'_>, axis: usize, end: Dim, read: impl Fn(&OperationIr) -> Option<i64>) -> Dim {
    if end.fixed().is_some() {
        return end;
    }
    match context.observe(|op| Some(read(op)? - slice(op)?.tensor.shape[axis] as i64)) {
        distance @ Dim::Fixed(..0) => distance,
        _ => end,
    }
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
