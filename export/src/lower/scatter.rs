//! Writes by index: single elements, whole slices, points of several axes.
//!
//! # Source
//! ONNX `ScatterElements`, `ScatterND`; they add and multiply from opset 16, take minima and maxima from opset 18.

use burn::tensor::IndexingUpdateOp;
use burn_ir::{BaseOperationIr, OperationIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation, family, gather};
use crate::Result;
use crate::ir::{Attributes, Constant, ElementType, ValueId, attributes};
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "scatter", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Base::Scatter", "ScatterElements").since(18),
    Operation::new("Base::ScatterNd", "ScatterND").since(18),
    Operation::new("Base::SelectAssign", "Reshape, Expand, ScatterElements").since(18),
];

struct Scatter<'a> {
    tensor: &'a TensorIr,
    value: &'a TensorIr,
    update: &'a IndexingUpdateOp,
    out: &'a TensorIr,
}

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    match family::base(operation) {
        Some(BaseOperationIr::Scatter(ir)) => {
            let scatter = Scatter { tensor: &ir.tensor, value: &ir.value, update: &ir.update, out: &ir.out };
            let indices = gather::index(context, &ir.indices)?;
            wire(context, &scatter, "ScatterElements", indices, axis(ir.dim))?;
        }
        Some(BaseOperationIr::SelectAssign(ir)) => {
            let scatter = Scatter { tensor: &ir.tensor, value: &ir.value, update: &ir.update, out: &ir.out };
            let indices = gather::index(context, &ir.indices)?;
            let shape = context.shape(&ir.value);
            let indices = spread(context, indices, ir.dim, &shape)?;
            wire(context, &scatter, "ScatterElements", indices, axis(ir.dim))?;
        }
        Some(BaseOperationIr::ScatterNd(ir)) => {
            let scatter = Scatter { tensor: &ir.data, value: &ir.values, update: &ir.reduction, out: &ir.out };
            let indices = context.input(&ir.indices)?;
            let indices = context.cast(indices, ElementType::I64);
            wire(context, &scatter, "ScatterND", indices, Attributes::new())?;
        }
        _ => return Ok(Lowered::NotMine),
    }
    Ok(Lowered::Done)
}

fn axis(axis: usize) -> Attributes {
    attributes([("axis", (axis as i64).into())])
}

/// One index a slice becomes one index an element.
fn spread(context: &mut Context<'_>, indices: ValueId, axis: usize, to: &[Dim]) -> Result<ValueId> {
    let dtype = context.dtype(indices);
    let mut target = vec![1; to.len()];
    target[axis] = -1;
    let mut shape = vec![Dim::Fixed(1); to.len()];
    shape[axis] = to[axis].clone();
    let target = context.constant(Constant::i64s(&target));
    let column = context.apply("Reshape", &[indices, target], dtype, &shape);
    let mut full = to.to_vec();
    full[axis] = Dim::Fixed(1);
    let full = context.integers(&full)?;
    Ok(context.apply("Expand", &[column, full], dtype, to))
}

fn wire(
    context: &mut Context<'_>,
    scatter: &Scatter<'_>,
    op: &str,
    indices: ValueId,
    mut attributes: Attributes,
) -> Result<()> {
    let reduction = match scatter.update {
        IndexingUpdateOp::Assign => None,
        IndexingUpdateOp::Add => Some(("add", 16)),
        IndexingUpdateOp::Mul => Some(("mul", 16)),
        IndexingUpdateOp::Min => Some(("min", 18)),
        IndexingUpdateOp::Max => Some(("max", 18)),
    };
    if let Some((name, since)) = reduction {
        if context.opset() < since {
            return Err(context.unsupported(format!(
                "ONNX knows `{op}` with the reduction `{name}` from opset {since} on; choose one with `Export::opset`"
            )));
        }
        attributes.insert("reduction".to_string(), name.into());
    }
    let (mut tensor, mut value) = (context.input(scatter.tensor)?, context.input(scatter.value)?);
    // Adding truth values means one or the other.
    if reduction.is_some() && context.dtype(tensor) == ElementType::Bool {
        (tensor, value) = (context.cast(tensor, ElementType::I32), context.cast(value, ElementType::I32));
    }
    let result = context.same(op, &[tensor, indices, value], attributes);
    context.bind_cast(scatter.out, result)
}
