//! Layer normalisation over the last axis: `(x - mean) / √(variance + ε) · γ + β`.
//!
//! # Source
//! ONNX `LayerNormalization`, opset 17; its parts below.

use burn_ir::{LayerNormOpIr, ModuleOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation, reduce};
use crate::Result;
use crate::ir::{ElementType, attributes};

pub(super) const LOWERING: Lowering = Lowering { name: "layer_norm", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] =
    &[Operation::new("Module::LayerNorm", "LayerNormalization | ReduceMean, Sub, Mul, Add, Sqrt, Div")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Module(ModuleOperationIr::LayerNorm(ir)) = operation else { return Ok(Lowered::NotMine) };
    if context.opset() < 17 {
        parts(context, ir)?;
        return Ok(Lowered::Done);
    }
    let mut inputs = vec![context.input(&ir.input)?, context.input(&ir.gamma)?];
    if let Some(beta) = &ir.beta {
        inputs.push(context.input(beta)?);
    }
    let attributes = attributes([("axis", (-1).into()), ("epsilon", ir.epsilon.elem::<f32>().into())]);
    context.finish(&ir.out, "LayerNormalization", &inputs, attributes)?;
    Ok(Lowered::Done)
}

fn parts(context: &mut Context<'_>, ir: &LayerNormOpIr) -> Result<()> {
    let (dtype, shape) = (ElementType::from_burn(ir.input.dtype)?, context.shape(&ir.input));
    let last = shape.len() - 1;
    let (x, gamma) = (context.input(&ir.input)?, context.input(&ir.gamma)?);
    let mean = reduce::reduce(context, "ReduceMean", x, &[last]);
    let centred = context.apply("Sub", &[x, mean], dtype, &shape);
    let square = context.apply("Mul", &[centred, centred], dtype, &shape);
    let variance = reduce::reduce(context, "ReduceMean", square, &[last]);
    let narrow = context.value_shape(variance);
    let epsilon = context.number(ir.epsilon.elem(), dtype);
    let safe = context.apply("Add", &[variance, epsilon], dtype, &narrow);
    let deviation = context.apply("Sqrt", &[safe], dtype, &narrow);
    let normal = context.apply("Div", &[centred, deviation], dtype, &shape);
    let mut result = context.apply("Mul", &[normal, gamma], dtype, &shape);
    if let Some(beta) = &ir.beta {
        let beta = context.input(beta)?;
        result = context.apply("Add", &[result, beta], dtype, &shape);
    }
    context.bind(&ir.out, result)
}
