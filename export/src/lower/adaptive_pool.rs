//! Averages over windows that are chosen by the size of the output.
//!
//! # Source
//! ONNX `GlobalAveragePool`, `AveragePool`; windows of different sizes are products with averaging matrices.

use burn_ir::{ModuleOperationIr, OperationIr, TensorIr};

use super::resample::{Matrix, along};
use super::{Context, Lowered, Lowering, Operation, family::ints};
use crate::Result;
use crate::ir::{Attributes, attributes};

pub(super) const LOWERING: Lowering = Lowering { name: "adaptive_pool", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Module::AdaptiveAvgPool1d", "GlobalAveragePool | AveragePool | MatMul"),
    Operation::new("Module::AdaptiveAvgPool2d", "GlobalAveragePool | AveragePool | MatMul"),
    Operation::new("Module::AdaptiveAvgPool3d", "GlobalAveragePool | AveragePool | MatMul, Reshape"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let (x, sizes, out): (&TensorIr, &[usize], &TensorIr) = match operation {
        OperationIr::Module(ModuleOperationIr::AdaptiveAvgPool1d(ir)) => {
            (&ir.x, std::slice::from_ref(&ir.output_size), &ir.out)
        }
        OperationIr::Module(ModuleOperationIr::AdaptiveAvgPool2d(ir)) => (&ir.x, &ir.output_size, &ir.out),
        OperationIr::Module(ModuleOperationIr::AdaptiveAvgPool3d(ir)) => (&ir.x, &ir.output_size, &ir.out),
        _ => return Ok(Lowered::NotMine),
    };
    let value = context.input(x)?;
    if sizes.iter().all(|size| *size == 1) {
        context.finish(out, "GlobalAveragePool", &[value], Attributes::new())?;
        return Ok(Lowered::Done);
    }
    let from = context.fixed_shape(x, 2..x.shape.num_dims())?;
    if from.iter().zip(sizes).all(|(from, to)| from % to == 0) {
        let kernel: Vec<usize> = from.iter().zip(sizes).map(|(from, to)| from / to).collect();
        let attributes = attributes([("kernel_shape", ints(&kernel)), ("strides", ints(&kernel))]);
        context.finish(out, "AveragePool", &[value], attributes)?;
        return Ok(Lowered::Done);
    }
    let mut value = value;
    for (axis, (from, to)) in from.iter().zip(sizes).enumerate().rev() {
        if from != to {
            value = along(context, value, axis + 2, &averages(*from, *to));
        }
    }
    context.bind(out, value)?;
    Ok(Lowered::Done)
}

/// The matrix whose product with an axis averages every window.
fn averages(from: usize, to: usize) -> Matrix {
    let mut numbers = vec![0.0; from * to];
    for output in 0..to {
        let (start, end) = (output * from / to, ((output + 1) * from).div_ceil(to));
        numbers[output * from + start..output * from + end].fill(1.0 / (end - start) as f64);
    }
    Matrix { to, from, numbers }
}
