//! Changes of the element type.
//!
//! # Source
//! ONNX `Cast`.

use burn_ir::{BaseOperationIr, BoolOperationIr, FloatOperationIr, IntOperationIr, OperationIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::Result;

pub(super) const LOWERING: Lowering = Lowering { name: "cast", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Base::Cast", "Cast"),
    Operation::new("Float::IntoInt", "Cast"),
    Operation::new("Int::IntoFloat", "Cast"),
    Operation::new("Bool::IntoFloat", "Cast"),
    Operation::new("Bool::IntoInt", "Cast"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let ir = match operation {
        OperationIr::Float(_, FloatOperationIr::IntoInt(ir)) => ir,
        OperationIr::Int(IntOperationIr::IntoFloat(ir)) => ir,
        OperationIr::Bool(BoolOperationIr::IntoFloat(ir) | BoolOperationIr::IntoInt(ir)) => ir,
        _ => match family::base(operation) {
            Some(BaseOperationIr::Cast(ir)) => ir,
            _ => return Ok(Lowered::NotMine),
        },
    };
    let input = context.input(&ir.input)?;
    context.bind_cast(&ir.out, input)?;
    Ok(Lowered::Done)
}
