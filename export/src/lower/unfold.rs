//! Sliding windows: `[.., length, ..]` → `[.., windows, .., size]`.
//!
//! # Source
//! ONNX `Gather` by the positions of the windows, `Transpose`.

use burn_ir::{BaseOperationIr, OperationIr, UnfoldOpIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::Result;
use crate::ir::{Attribute, Constant, ElementType, Number, ValueId, attributes};
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "unfold", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[Operation::new("Base::Unfold", "Gather, Transpose, Range, Mul, Reshape, Add")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(BaseOperationIr::Unfold(ir)) = family::base(operation) else { return Ok(Lowered::NotMine) };
    let value = context.input(&ir.input)?;
    let (dtype, shape) = (context.dtype(value), context.shape(&ir.out));
    let (rank, windows) = (ir.input.shape.num_dims(), shape[ir.dim].clone());
    let positions = positions(context, ir, &windows)?;
    let mut gathered = context.shape(&ir.input);
    gathered[ir.dim] = windows;
    gathered.insert(ir.dim + 1, Dim::Fixed(ir.size as i64));
    let axis = attributes([("axis", (ir.dim as i64).into())]);
    let gathered = context.node("Gather", &[value, positions], axis, dtype, gathered);
    if ir.dim + 1 == rank {
        context.bind(&ir.out, gathered)?;
        return Ok(Lowered::Done);
    }
    let mut order: Vec<i64> = (0..=rank as i64).filter(|axis| *axis != ir.dim as i64 + 1).collect();
    order.push(ir.dim as i64 + 1);
    context.finish(&ir.out, "Transpose", &[gathered], attributes([("perm", Attribute::Ints(order))]))?;
    Ok(Lowered::Done)
}

/// `[windows, size]`: window times step, plus the place in the window.
fn positions(context: &mut Context<'_>, ir: &UnfoldOpIr, windows: &Dim) -> Result<ValueId> {
    if let Some(count) = windows.fixed().and_then(|count| usize::try_from(count).ok()) {
        let numbers = (0..count).flat_map(|window| (0..ir.size).map(move |place| window * ir.step + place));
        let bytes = numbers.flat_map(|number| (number as i64).to_le_bytes()).collect();
        return Ok(context.constant(Constant::from_bytes(ElementType::I64, vec![count, ir.size], bytes)));
    }
    let integers = ElementType::I64;
    let range = context.range(windows)?;
    let step = context.constant(Constant::scalar(integers, Number::Int(ir.step as i128)));
    let starts = context.apply("Mul", &[range, step], integers, std::slice::from_ref(windows));
    let target = context.constant(Constant::i64s(&[-1, 1]));
    let starts = context.apply("Reshape", &[starts, target], integers, &[windows.clone(), Dim::Fixed(1)]);
    let places = context.range(&Dim::Fixed(ir.size as i64))?;
    Ok(context.apply("Add", &[starts, places], integers, &[windows.clone(), Dim::Fixed(ir.size as i64)]))
}
