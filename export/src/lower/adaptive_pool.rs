//! Averages over windows that are chosen by the size of the output.
//!
//! # Source
//! ONNX `GlobalAveragePool`, `AveragePool`; windows of different sizes are products with averaging matrices, which the
//! graph makes itself where a size is dynamic.

use burn_ir::{ModuleOperationIr, OperationIr, TensorIr};

use super::resample::{Factor, along};
use super::{Context, Lowered, Lowering, Operation, averaging, family::ints};
use crate::Result;
use crate::ir::{Attributes, attributes};
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "adaptive_pool", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Module::AdaptiveAvgPool1d", "GlobalAveragePool | AveragePool | MatMul, Transpose"),
    Operation::new("Module::AdaptiveAvgPool2d", "GlobalAveragePool | AveragePool | MatMul, Transpose"),
    Operation::new("Module::AdaptiveAvgPool3d", "GlobalAveragePool | AveragePool | MatMul, Transpose, Reshape"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some((x, sizes, out)) = pool(operation) else { return Ok(Lowered::NotMine) };
    let mut value = context.input(x)?;
    let to: Vec<Dim> =
        (0..sizes.len()).map(|axis| context.integer(|op| Some(*pool(op)?.1.get(axis)? as i64))).collect();
    if to.iter().all(|size| *size == Dim::Fixed(1)) {
        context.finish(out, "GlobalAveragePool", &[value], Attributes::new())?;
        return Ok(Lowered::Done);
    }
    let from = context.shape(x)[2..].to_vec();
    let windows = from.iter().zip(&to).map(|(from, to)| window(from, to));
    if let Some(kernel) = windows.collect::<Option<Vec<usize>>>() {
        let attributes = attributes([("kernel_shape", ints(&kernel)), ("strides", ints(&kernel))]);
        context.finish(out, "AveragePool", &[value], attributes)?;
        return Ok(Lowered::Done);
    }
    if to.len() > 2 && to.iter().skip(1).filter(|size| size.fixed().is_none()).count() > 1 {
        return Err(context.unsupported("two sizes of a volume are dynamic; fix the sizes of the output"));
    }
    for (axis, (from, to)) in from.iter().zip(&to).enumerate().rev() {
        if from == to {
            continue;
        }
        let factor = match (fixed(from), fixed(to)) {
            (Some(from), Some(to)) => Factor::Known(averaging::known(from, to)),
            _ => averaging::computed(context, from, to)?,
        };
        value = along(context, value, axis + 2, &factor);
    }
    context.bind(out, value)?;
    Ok(Lowered::Done)
}

/// What is averaged, the sizes of the output, and the output.
fn pool(operation: &OperationIr) -> Option<(&TensorIr, &[usize], &TensorIr)> {
    match operation {
        OperationIr::Module(ModuleOperationIr::AdaptiveAvgPool1d(ir)) => {
            Some((&ir.x, std::slice::from_ref(&ir.output_size), &ir.out))
        }
        OperationIr::Module(ModuleOperationIr::AdaptiveAvgPool2d(ir)) => Some((&ir.x, &ir.output_size, &ir.out)),
        OperationIr::Module(ModuleOperationIr::AdaptiveAvgPool3d(ir)) => Some((&ir.x, &ir.output_size, &ir.out)),
        _ => None,
    }
}

fn fixed(dim: &Dim) -> Option<usize> {
    dim.fixed().and_then(|size| usize::try_from(size).ok())
}

/// The length of the windows, where all are of one.
fn window(from: &Dim, to: &Dim) -> Option<usize> {
    let (from, to) = (fixed(from)?, fixed(to)?);
    (to > 0 && from % to == 0).then(|| from / to)
}
