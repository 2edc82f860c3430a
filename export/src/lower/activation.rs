//! Activation functions that are more than one ONNX operator, or take parameters.
//!
//! # Source
//! ONNX `LeakyRelu`, `HardSigmoid`, `PRelu`, `Softplus`; `Gelu` is of opset 20, and `x / 2 · (1 + erf(x / √2))` below.
//! The logarithm of the sigmoid is `-softplus(-x)`.

use burn_ir::{ActivationOperationIr, OperationIr, ScalarIr, UnaryOpIr};

use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::{Attributes, ElementType, attributes};

pub(super) const LOWERING: Lowering = Lowering { name: "activation", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Activation::Gelu", "Gelu | Div, Erf, Add, Mul"),
    Operation::new("Activation::LeakyRelu", "LeakyRelu"),
    Operation::new("Activation::HardSigmoid", "HardSigmoid"),
    Operation::new("Activation::LogSigmoid", "Neg, Softplus"),
    Operation::new("Activation::PRelu", "PRelu"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Activation(activation) = operation else { return Ok(Lowered::NotMine) };
    match activation {
        ActivationOperationIr::Gelu(ir) if context.opset() >= 20 => {
            let input = context.input(&ir.input)?;
            context.finish(&ir.out, "Gelu", &[input], Attributes::new())?;
        }
        ActivationOperationIr::Gelu(ir) => gelu(context, ir)?,
        ActivationOperationIr::LogSigmoid(ir) => {
            let input = context.input(&ir.input)?;
            let negative = context.same("Neg", &[input], Attributes::new());
            let softplus = context.same("Softplus", &[negative], Attributes::new());
            context.finish(&ir.out, "Neg", &[softplus], Attributes::new())?;
        }
        ActivationOperationIr::PRelu(ir) => {
            let inputs = [context.input(&ir.lhs)?, context.input(&ir.rhs)?];
            context.finish(&ir.out, "PRelu", &inputs, Attributes::new())?;
        }
        ActivationOperationIr::LeakyRelu(ir) => {
            let input = context.input(&ir.lhs)?;
            context.finish(&ir.out, "LeakyRelu", &[input], attributes([("alpha", ir.rhs.elem::<f32>().into())]))?;
        }
        ActivationOperationIr::HardSigmoid(ir) => {
            let input = context.input(&ir.tensor)?;
            let (alpha, beta) = (ir.alpha.elem::<f32>(), ir.beta.elem::<f32>());
            let attributes = attributes([("alpha", alpha.into()), ("beta", beta.into())]);
            context.finish(&ir.out, "HardSigmoid", &[input], attributes)?;
        }
        _ => return Ok(Lowered::NotMine),
    }
    Ok(Lowered::Done)
}

fn gelu(context: &mut Context<'_>, ir: &UnaryOpIr) -> Result<()> {
    let dtype = ElementType::from_burn(ir.input.dtype)?;
    let x = context.input(&ir.input)?;
    let root = context.scalar(ScalarIr::Float(std::f64::consts::SQRT_2), dtype);
    let (one, half) = (context.scalar(ScalarIr::Float(1.0), dtype), context.scalar(ScalarIr::Float(0.5), dtype));
    let scaled = context.same("Div", &[x, root], Attributes::new());
    let erf = context.same("Erf", &[scaled], Attributes::new());
    let shifted = context.same("Add", &[erf, one], Attributes::new());
    let product = context.same("Mul", &[x, shifted], Attributes::new());
    context.finish(&ir.out, "Mul", &[product, half], Attributes::new())
}
