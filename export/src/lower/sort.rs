//! Sorting, and the largest numbers of an axis.
//!
//! # Source
//! ONNX `TopK`: a sort takes all of them.

use burn_ir::{NumericOperationIr, OperationIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation, family, widen};
use crate::Result;
use crate::ir::{ElementType, attributes};
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "sort", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Numeric::TopK", "TopK"),
    Operation::new("Numeric::ArgTopK", "TopK"),
    Operation::new("Numeric::TopKWithIndices", "TopK"),
    Operation::new("Numeric::Sort", "TopK"),
    Operation::new("Numeric::ArgSort", "TopK"),
    Operation::new("Numeric::SortWithIndices", "TopK"),
];

struct TopK<'a> {
    input: &'a TensorIr,
    axis: usize,
    count: Dim,
    largest: bool,
    values: Option<&'a TensorIr>,
    indices: Option<&'a TensorIr>,
}

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(numeric) = family::numeric(operation) else { return Ok(Lowered::NotMine) };
    let all = |context: &Context<'_>, input: &TensorIr, axis: usize| context.shape(input)[axis].clone();
    let top = match numeric {
        NumericOperationIr::TopK(ir) => TopK {
            input: &ir.input,
            axis: ir.axis,
            count: context.integer(count),
            largest: true,
            values: Some(&ir.out),
            indices: None,
        },
        NumericOperationIr::ArgTopK(ir) => TopK {
            input: &ir.input,
            axis: ir.axis,
            count: context.integer(count),
            largest: true,
            values: None,
            indices: Some(&ir.out),
        },
        NumericOperationIr::TopKWithIndices(ir) => TopK {
            input: &ir.tensor,
            axis: ir.dim,
            count: context.integer(count),
            largest: true,
            values: Some(&ir.out),
            indices: Some(&ir.out_indices),
        },
        NumericOperationIr::Sort(ir) => TopK {
            input: &ir.input,
            axis: ir.dim,
            count: all(context, &ir.input, ir.dim),
            largest: ir.descending,
            values: Some(&ir.out),
            indices: None,
        },
        NumericOperationIr::ArgSort(ir) => TopK {
            input: &ir.input,
            axis: ir.dim,
            count: all(context, &ir.input, ir.dim),
            largest: ir.descending,
            values: None,
            indices: Some(&ir.out),
        },
        NumericOperationIr::SortWithIndices(ir) => TopK {
            input: &ir.input,
            axis: ir.dim,
            count: all(context, &ir.input, ir.dim),
            largest: ir.descending,
            values: Some(&ir.out),
            indices: Some(&ir.out_indices),
        },
        _ => return Ok(Lowered::NotMine),
    };
    wire(context, &top)?;
    Ok(Lowered::Done)
}

fn count(operation: &OperationIr) -> Option<i64> {
    match family::numeric(operation)? {
        NumericOperationIr::TopK(ir) | NumericOperationIr::ArgTopK(ir) => Some(ir.accumulator_len as i64),
        NumericOperationIr::TopKWithIndices(ir) => Some(ir.k as i64),
        _ => None,
    }
}

fn wire(context: &mut Context<'_>, top: &TopK<'_>) -> Result<()> {
    let value = widen::input(context, top.input)?;
    let (dtype, mut shape) = (context.dtype(value), context.value_shape(value));
    shape[top.axis] = top.count.clone();
    let count = context.integers(std::slice::from_ref(&top.count))?;
    let attributes = attributes([
        ("axis", (top.axis as i64).into()),
        ("largest", i64::from(top.largest).into()),
        ("sorted", 1.into()),
    ]);
    let outputs = vec![(dtype, shape.clone()), (ElementType::I64, shape)];
    let outputs = context.nodes("TopK", vec![Some(value), Some(count)], attributes, outputs);
    if let Some(values) = top.values {
        context.bind_cast(values, outputs[0])?;
    }
    if let Some(indices) = top.indices {
        context.bind_cast(indices, outputs[1])?;
    }
    Ok(())
}
