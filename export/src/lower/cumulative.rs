//! Running sums, products, minima and maxima along an axis.
//!
//! `CumSum` is an operator; the others reduce the square of the axis with what lies behind each position masked out.
//!
//! # Source
//! ONNX `CumSum`; `Unsqueeze`, `Range`, `GreaterOrEqual`, `Where`, `ReduceProd`, `ReduceMin`, `ReduceMax`, `Squeeze`.

use burn_ir::{DimOpIr, NumericOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation, family, reduce, widen};
use crate::Result;
use crate::ir::{Attributes, Constant, ElementType, Number, ValueId};
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "cumulative", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Numeric::CumSum", "CumSum"),
    Operation::new("Numeric::CumProd", "Unsqueeze, Reshape, GreaterOrEqual, Where, ReduceProd, Squeeze, Range"),
    Operation::new("Numeric::CumMin", "Unsqueeze, Reshape, GreaterOrEqual, Where, ReduceMin, Squeeze, Range"),
    Operation::new("Numeric::CumMax", "Unsqueeze, Reshape, GreaterOrEqual, Where, ReduceMax, Squeeze, Range"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    match family::numeric(operation) {
        Some(NumericOperationIr::CumSum(ir)) => sum(context, ir)?,
        Some(NumericOperationIr::CumProd(ir)) => masked(context, ir, "ReduceProd")?,
        Some(NumericOperationIr::CumMin(ir)) => masked(context, ir, "ReduceMin")?,
        Some(NumericOperationIr::CumMax(ir)) => masked(context, ir, "ReduceMax")?,
        _ => return Ok(Lowered::NotMine),
    }
    Ok(Lowered::Done)
}

fn sum(context: &mut Context<'_>, ir: &DimOpIr) -> Result<()> {
    let value = widen::input(context, &ir.input)?;
    let axis = context.constant(Constant::scalar(ElementType::I64, Number::Int(ir.axis as i128)));
    let sum = context.same("CumSum", &[value, axis], Attributes::new());
    context.bind_cast(&ir.out, sum)
}

fn masked(context: &mut Context<'_>, ir: &DimOpIr, op: &str) -> Result<()> {
    let value = widen::input(context, &ir.input)?;
    let (dtype, shape) = (context.dtype(value), context.value_shape(value));
    let size = shape[ir.axis].clone();
    let behind = shape.len() - ir.axis - 1;
    let mask = mask(context, &size, behind)?;
    let mut row = shape.clone();
    row.insert(ir.axis, Dim::Fixed(1));
    let mut square = row.clone();
    square[ir.axis] = size;
    let axis = context.constant(Constant::i64s(&[ir.axis as i64]));
    let row = context.apply("Unsqueeze", &[value, axis], dtype, &row);
    let neutral = context.constant(Constant::scalar(dtype, neutral(op, dtype)));
    let seen = context.apply("Where", &[mask, row, neutral], dtype, &square);
    let reduced = reduce::reduce(context, op, seen, &[ir.axis + 1]);
    let axis = context.constant(Constant::i64s(&[ir.axis as i64 + 1]));
    let result = context.apply("Squeeze", &[reduced, axis], dtype, &shape);
    context.bind_cast(&ir.out, result)
}

/// `[size, size, 1, ...]`, true where the second position is not behind the first.
fn mask(context: &mut Context<'_>, size: &Dim, behind: usize) -> Result<ValueId> {
    let positions = context.range(size)?;
    let mut column = |ones: usize| {
        let mut target = vec![-1];
        target.resize(ones + 1, 1);
        let mut shape = vec![size.clone()];
        shape.resize(ones + 1, Dim::Fixed(1));
        let target = context.constant(Constant::i64s(&target));
        context.apply("Reshape", &[positions, target], ElementType::I64, &shape)
    };
    let (upper, lower) = (column(behind + 1), column(behind));
    let mut shape = vec![size.clone(); 2];
    shape.resize(behind + 2, Dim::Fixed(1));
    Ok(context.apply("GreaterOrEqual", &[upper, lower], ElementType::Bool, &shape))
}

/// The number that changes no result.
fn neutral(op: &str, dtype: ElementType) -> Number {
    let (lowest, highest) = match dtype {
        ElementType::I32 => (i32::MIN.into(), i32::MAX.into()),
        ElementType::I64 => (i64::MIN.into(), i64::MAX.into()),
        ElementType::U64 => (0, u64::MAX.into()),
        _ => {
            return match op {
                "ReduceMin" => Number::Float(f64::INFINITY),
                "ReduceMax" => Number::Float(f64::NEG_INFINITY),
                _ => Number::Float(1.0),
            };
        }
    };
    match op {
        "ReduceMin" => Number::Int(highest),
        "ReduceMax" => Number::Int(lowest),
        _ => Number::Int(1),
    }
}
