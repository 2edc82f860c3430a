//! Comparisons of tensors and numbers, which may follow the dynamic sizes.
//!
//! # Source
//! ONNX `Equal`, `Greater`, `GreaterOrEqual`, `Less`, `LessOrEqual`, `Not`.

use burn_ir::{BaseOperationIr, NumericOperationIr, OperationIr, ScalarIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation, family};
use crate::Result;
use crate::ir::{Attributes, ElementType, ValueId};

pub(super) const LOWERING: Lowering = Lowering { name: "compare", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Base::Equal", "Equal"),
    Operation::new("Base::EqualElem", "Equal"),
    Operation::new("Base::NotEqual", "Equal, Not"),
    Operation::new("Base::NotEqualElem", "Equal, Not"),
    Operation::new("Numeric::Greater", "Greater"),
    Operation::new("Numeric::GreaterElem", "Greater"),
    Operation::new("Numeric::GreaterEqual", "GreaterOrEqual"),
    Operation::new("Numeric::GreaterEqualElem", "GreaterOrEqual"),
    Operation::new("Numeric::Lower", "Less"),
    Operation::new("Numeric::LowerElem", "Less"),
    Operation::new("Numeric::LowerEqual", "LessOrEqual"),
    Operation::new("Numeric::LowerEqualElem", "LessOrEqual"),
];

enum Right<'a> {
    Tensor(&'a TensorIr),
    Number(ScalarIr),
}

struct Comparison<'a> {
    op: &'static str,
    negated: bool,
    left: &'a TensorIr,
    right: Right<'a>,
    out: &'a TensorIr,
}

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(comparison) = comparison(operation) else { return Ok(Lowered::NotMine) };
    let left = context.input(comparison.left)?;
    let dtype = ElementType::from_burn(comparison.left.dtype)?;
    let right: ValueId = match comparison.right {
        Right::Tensor(tensor) => context.input(tensor)?,
        Right::Number(_) => {
            let Some(number) = context.scalar_of(number, dtype)? else { return Ok(Lowered::NotMine) };
            number
        }
    };
    if !comparison.negated {
        context.finish(comparison.out, comparison.op, &[left, right], Attributes::new())?;
        return Ok(Lowered::Done);
    }
    let shape = context.shape(comparison.out);
    let result = context.node(comparison.op, &[left, right], Attributes::new(), ElementType::Bool, shape);
    context.finish(comparison.out, "Not", &[result], Attributes::new())?;
    Ok(Lowered::Done)
}

fn number(operation: &OperationIr) -> Option<ScalarIr> {
    match comparison(operation)?.right {
        Right::Number(number) => Some(number),
        Right::Tensor(_) => None,
    }
}

fn comparison(operation: &OperationIr) -> Option<Comparison<'_>> {
    macro_rules! tensors {
        ($op:literal, $negated:literal, $ir:ident) => {
            Comparison { op: $op, negated: $negated, left: &$ir.lhs, right: Right::Tensor(&$ir.rhs), out: &$ir.out }
        };
    }
    macro_rules! number {
        ($op:literal, $negated:literal, $ir:ident) => {
            Comparison { op: $op, negated: $negated, left: &$ir.lhs, right: Right::Number($ir.rhs), out: &$ir.out }
        };
    }
    if let Some(base) = family::base(operation) {
        return Some(match base {
            BaseOperationIr::Equal(ir) => tensors!("Equal", false, ir),
            BaseOperationIr::NotEqual(ir) => tensors!("Equal", true, ir),
            BaseOperationIr::EqualElem(ir) => number!("Equal", false, ir),
            BaseOperationIr::NotEqualElem(ir) => number!("Equal", true, ir),
            _ => return None,
        });
    }
    Some(match family::numeric(operation)? {
        NumericOperationIr::Greater(ir) => tensors!("Greater", false, ir),
        NumericOperationIr::GreaterEqual(ir) => tensors!("GreaterOrEqual", false, ir),
        NumericOperationIr::Lower(ir) => tensors!("Less", false, ir),
        NumericOperationIr::LowerEqual(ir) => tensors!("LessOrEqual", false, ir),
        NumericOperationIr::GreaterElem(ir) => number!("Greater", false, ir),
        NumericOperationIr::GreaterEqualElem(ir) => number!("GreaterOrEqual", false, ir),
        NumericOperationIr::LowerElem(ir) => number!("Less", false, ir),
        NumericOperationIr::LowerEqualElem(ir) => number!("LessOrEqual", false, ir),
        _ => return None,
    })
}
