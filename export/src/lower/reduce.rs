//! Reductions over one axis, several axes or all of them.
//!
//! # Source
//! ONNX `ReduceSum`, `ReduceMean`, `ReduceMax`, `ReduceMin`, `ReduceProd`, `ArgMax`, `ArgMin`; integers of fewer than
//! 32 bits are reduced as 32-bit integers, for ONNX sums no others.

use burn_ir::{NumericOperationIr, OperationIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation, family, widen};
use crate::Result;
use crate::ir::{Attribute, Attributes, Constant, ElementType, ValueId, attributes};
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "reduce", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Numeric::Sum", "Reshape, ReduceSum"),
    Operation::new("Numeric::Mean", "Reshape, ReduceMean"),
    Operation::new("Numeric::Max", "Reshape, ReduceMax"),
    Operation::new("Numeric::Min", "Reshape, ReduceMin"),
    Operation::new("Numeric::Prod", "Reshape, ReduceProd"),
    Operation::new("Numeric::MaxAbs", "Abs, Reshape, ReduceMax"),
    Operation::new("Numeric::MaxAbsDim", "Abs, ReduceMax"),
    Operation::new("Numeric::SumDims", "ReduceSum"),
    Operation::new("Numeric::SumDim", "ReduceSum"),
    Operation::new("Numeric::MeanDim", "ReduceMean"),
    Operation::new("Numeric::MaxDim", "ReduceMax"),
    Operation::new("Numeric::MinDim", "ReduceMin"),
    Operation::new("Numeric::ProdDim", "ReduceProd"),
    Operation::new("Numeric::ArgMax", "ArgMax"),
    Operation::new("Numeric::ArgMin", "ArgMin"),
    Operation::new("Numeric::MaxDimWithIndices", "ReduceMax, ArgMax"),
    Operation::new("Numeric::MinDimWithIndices", "ReduceMin, ArgMin"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(numeric) = family::numeric(operation) else { return Ok(Lowered::NotMine) };
    match numeric {
        NumericOperationIr::Sum(ir) => all(context, "ReduceSum", &ir.input, &ir.out)?,
        NumericOperationIr::Mean(ir) => all(context, "ReduceMean", &ir.input, &ir.out)?,
        NumericOperationIr::Max(ir) => all(context, "ReduceMax", &ir.input, &ir.out)?,
        NumericOperationIr::Min(ir) => all(context, "ReduceMin", &ir.input, &ir.out)?,
        NumericOperationIr::Prod(ir) => all(context, "ReduceProd", &ir.input, &ir.out)?,
        NumericOperationIr::MaxAbs(ir) => largest(context, &ir.input, None, &ir.out)?,
        NumericOperationIr::SumDim(ir) => axes(context, "ReduceSum", &ir.input, &[ir.axis], &ir.out)?,
        NumericOperationIr::SumDims(ir) => axes(context, "ReduceSum", &ir.input, &ir.axes, &ir.out)?,
        NumericOperationIr::MeanDim(ir) => axes(context, "ReduceMean", &ir.input, &[ir.axis], &ir.out)?,
        NumericOperationIr::MaxDim(ir) => axes(context, "ReduceMax", &ir.input, &[ir.axis], &ir.out)?,
        NumericOperationIr::MinDim(ir) => axes(context, "ReduceMin", &ir.input, &[ir.axis], &ir.out)?,
        NumericOperationIr::ProdDim(ir) => axes(context, "ReduceProd", &ir.input, &[ir.axis], &ir.out)?,
        NumericOperationIr::MaxAbsDim(ir) => largest(context, &ir.input, Some(ir.axis), &ir.out)?,
        NumericOperationIr::ArgMax(ir) => arg(context, "ArgMax", &ir.input, ir.axis, &ir.out)?,
        NumericOperationIr::ArgMin(ir) => arg(context, "ArgMin", &ir.input, ir.axis, &ir.out)?,
        NumericOperationIr::MaxDimWithIndices(ir) => {
            axes(context, "ReduceMax", &ir.tensor, &[ir.dim], &ir.out)?;
            arg(context, "ArgMax", &ir.tensor, ir.dim, &ir.out_indices)?;
        }
        NumericOperationIr::MinDimWithIndices(ir) => {
            axes(context, "ReduceMin", &ir.tensor, &[ir.dim], &ir.out)?;
            arg(context, "ArgMin", &ir.tensor, ir.dim, &ir.out_indices)?;
        }
        _ => return Ok(Lowered::NotMine),
    }
    Ok(Lowered::Done)
}

fn all(context: &mut Context<'_>, op: &str, input: &TensorIr, out: &TensorIr) -> Result<()> {
    let value = widen::input(context, input)?;
    let value = flat(context, value);
    let value = reduce(context, op, value, &[0]);
    context.bind_cast(out, value)
}

/// Burn's full reductions give one axis of size 1: flatten, then reduce that axis.
pub(super) fn flat(context: &mut Context<'_>, value: ValueId) -> ValueId {
    let shape = context.value_shape(value);
    if shape.len() == 1 {
        return value;
    }
    let size = shape.iter().map(Dim::fixed).product::<Option<i64>>().map_or(Dim::Opaque(vec![]), Dim::Fixed);
    let target = context.constant(Constant::i64s(&[-1]));
    let dtype = context.dtype(value);
    context.apply("Reshape", &[value, target], dtype, &[size])
}

fn axes(context: &mut Context<'_>, op: &str, input: &TensorIr, axes: &[usize], out: &TensorIr) -> Result<()> {
    let value = widen::input(context, input)?;
    let value = reduce(context, op, value, axes);
    context.bind_cast(out, value)
}

/// The largest absolute value.
fn largest(context: &mut Context<'_>, input: &TensorIr, axis: Option<usize>, out: &TensorIr) -> Result<()> {
    let value = widen::input(context, input)?;
    let value = context.same("Abs", &[value], Attributes::new());
    let (value, axis) = match axis {
        Some(axis) => (value, axis),
        None => (flat(context, value), 0),
    };
    let value = reduce(context, "ReduceMax", value, &[axis]);
    context.bind_cast(out, value)
}

/// Reduces axes to the size 1; no axes leave the value, where ONNX would take them for all. Opset 18 made the axes an input of every reduction, opset 13 only of `ReduceSum`.
pub(super) fn reduce(context: &mut Context<'_>, op: &str, value: ValueId, axes: &[usize]) -> ValueId {
    if axes.is_empty() {
        return value;
    }
    let (dtype, mut shape) = (context.dtype(value), context.value_shape(value));
    axes.iter().for_each(|axis| shape[*axis] = Dim::Fixed(1));
    let axes: Vec<i64> = axes.iter().map(|axis| *axis as i64).collect();
    let keep = ("keepdims", Attribute::Int(1));
    if op == "ReduceSum" || context.opset() >= 18 {
        let axes = context.constant(Constant::i64s(&axes));
        return context.node(op, &[value, axes], attributes([keep]), dtype, shape);
    }
    context.node(op, &[value], attributes([("axes", Attribute::Ints(axes)), keep]), dtype, shape)
}

fn arg(context: &mut Context<'_>, op: &str, input: &TensorIr, axis: usize, out: &TensorIr) -> Result<()> {
    let value = widen::input(context, input)?;
    let attributes = attributes([("axis", (axis as i64).into()), ("keepdims", 1.into())]);
    let shape = context.shape(out);
    let index = context.node(op, &[value], attributes, ElementType::I64, shape);
    context.bind_cast(out, index)
}
