//! Operations on one tensor, element by element.
//!
//! # Source
//! ONNX `Exp`, `Log`, `Erf`, `Sqrt`, `Reciprocal`, `Neg`, `Abs`, `Sign`, `Tanh`, `Sigmoid`, trigonometry, rounding, `IsNaN`
//! and `IsInf`.

use burn_ir::{ActivationOperationIr, BoolOperationIr, FloatOperationIr, NumericOperationIr, OperationIr, UnaryOpIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::Result;
use crate::ir::Attributes;

pub(super) const LOWERING: Lowering = Lowering { name: "unary", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Float::Exp", "Exp"),
    Operation::new("Float::Log", "Log"),
    Operation::new("Float::Erf", "Erf"),
    Operation::new("Float::Sqrt", "Sqrt"),
    Operation::new("Float::Cos", "Cos"),
    Operation::new("Float::Sin", "Sin"),
    Operation::new("Float::Tan", "Tan"),
    Operation::new("Float::Cosh", "Cosh"),
    Operation::new("Float::Sinh", "Sinh"),
    Operation::new("Float::Tanh", "Tanh"),
    Operation::new("Float::Floor", "Floor"),
    Operation::new("Float::Ceil", "Ceil"),
    Operation::new("Float::Round", "Round"),
    Operation::new("Float::Recip", "Reciprocal"),
    Operation::new("Float::ArcCos", "Acos"),
    Operation::new("Float::ArcSin", "Asin"),
    Operation::new("Float::ArcTan", "Atan"),
    Operation::new("Float::ArcCosh", "Acosh"),
    Operation::new("Float::ArcSinh", "Asinh"),
    Operation::new("Float::ArcTanh", "Atanh"),
    Operation::new("Float::IsNan", "IsNaN").unrecorded(),
    Operation::new("Float::IsInf", "IsInf").unrecorded(),
    Operation::new("Activation::Sigmoid", "Sigmoid"),
    Operation::new("Activation::Relu", "Relu"),
    Operation::new("Bool::Not", "Not"),
    Operation::new("Numeric::Abs", "Abs"),
    Operation::new("Numeric::Neg", "Neg"),
    Operation::new("Numeric::Sign", "Sign"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some((op, unary)) = operator(operation) else { return Ok(Lowered::NotMine) };
    let input = context.input(&unary.input)?;
    context.finish(&unary.out, op, &[input], Attributes::new())?;
    Ok(Lowered::Done)
}

fn operator(operation: &OperationIr) -> Option<(&'static str, &UnaryOpIr)> {
    match operation {
        OperationIr::Float(_, float) => Some(match float {
            FloatOperationIr::Exp(unary) => ("Exp", unary),
            FloatOperationIr::Log(unary) => ("Log", unary),
            FloatOperationIr::Erf(unary) => ("Erf", unary),
            FloatOperationIr::Sqrt(unary) => ("Sqrt", unary),
            FloatOperationIr::Recip(unary) => ("Reciprocal", unary),
            FloatOperationIr::Cos(unary) => ("Cos", unary),
            FloatOperationIr::Sin(unary) => ("Sin", unary),
            FloatOperationIr::Tan(unary) => ("Tan", unary),
            FloatOperationIr::Cosh(unary) => ("Cosh", unary),
            FloatOperationIr::Sinh(unary) => ("Sinh", unary),
            FloatOperationIr::Tanh(unary) => ("Tanh", unary),
            FloatOperationIr::ArcCos(unary) => ("Acos", unary),
            FloatOperationIr::ArcSin(unary) => ("Asin", unary),
            FloatOperationIr::ArcTan(unary) => ("Atan", unary),
            FloatOperationIr::ArcCosh(unary) => ("Acosh", unary),
            FloatOperationIr::ArcSinh(unary) => ("Asinh", unary),
            FloatOperationIr::ArcTanh(unary) => ("Atanh", unary),
            FloatOperationIr::IsNan(unary) => ("IsNaN", unary),
            FloatOperationIr::IsInf(unary) => ("IsInf", unary),
            FloatOperationIr::Floor(unary) => ("Floor", unary),
            FloatOperationIr::Ceil(unary) => ("Ceil", unary),
            FloatOperationIr::Round(unary) => ("Round", unary),
            _ => return None,
        }),
        OperationIr::Activation(ActivationOperationIr::Sigmoid(unary)) => Some(("Sigmoid", unary)),
        OperationIr::Activation(ActivationOperationIr::Relu(unary)) => Some(("Relu", unary)),
        OperationIr::Bool(BoolOperationIr::Not(unary)) => Some(("Not", unary)),
        _ => match family::numeric(operation)? {
            NumericOperationIr::Abs(unary) => Some(("Abs", unary)),
            NumericOperationIr::Neg(unary) => Some(("Neg", unary)),
            NumericOperationIr::Sign(unary) => Some(("Sign", unary)),
            _ => None,
        },
    }
}
