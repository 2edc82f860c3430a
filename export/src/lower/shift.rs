//! Shifts of the bits of integers, by an amount that wraps around at the width.
//!
//! ONNX shifts unsigned integers only. A signed one goes there and back, and to the right a negative one goes as its
//! complement: `x >> n = -1 - ((-1 - x) >> n)`.
//!
//! # Source
//! ONNX `BitShift`, `Mod`, `Cast`; `Sub`, `Less`, `Where`.

use burn_ir::{IntOperationIr, OperationIr, TensorIr};

use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::{Constant, ElementType, Number, ValueId, attributes};
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "shift", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] = &[
    Operation::new("Int::BitwiseLeftShift", "Cast, BitShift, Mod"),
    Operation::new("Int::BitwiseLeftShiftScalar", "Cast, BitShift"),
    Operation::new("Int::BitwiseRightShift", "Cast, BitShift, Mod, Less, Sub, Where"),
    Operation::new("Int::BitwiseRightShiftScalar", "Cast, BitShift, Less, Sub, Where"),
];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Int(int) = operation else { return Ok(Lowered::NotMine) };
    let (direction, left, out) = match int {
        IntOperationIr::BitwiseLeftShift(ir) => ("LEFT", &ir.lhs, &ir.out),
        IntOperationIr::BitwiseRightShift(ir) => ("RIGHT", &ir.lhs, &ir.out),
        IntOperationIr::BitwiseLeftShiftScalar(ir) => ("LEFT", &ir.lhs, &ir.out),
        IntOperationIr::BitwiseRightShiftScalar(ir) => ("RIGHT", &ir.lhs, &ir.out),
        _ => return Ok(Lowered::NotMine),
    };
    let work = work_type(ElementType::from_burn(left.dtype)?);
    let bits = 8 * ElementType::from_burn(left.dtype)?.size() as i64;
    let amount = match int {
        IntOperationIr::BitwiseLeftShift(ir) | IntOperationIr::BitwiseRightShift(ir) => {
            let (amount, shape) = (context.input(&ir.rhs)?, context.shape(&ir.rhs));
            let amount = context.cast(amount, work.unsigned);
            let width = context.constant(Constant::scalar(work.unsigned, Number::Int(bits.into())));
            context.node("Mod", &[amount, width], attributes([("fmod", 0.into())]), work.unsigned, shape)
        }
        IntOperationIr::BitwiseLeftShiftScalar(ir) | IntOperationIr::BitwiseRightShiftScalar(ir) => {
            let amount = ir.rhs.elem::<i64>().rem_euclid(bits);
            context.constant(Constant::scalar(work.unsigned, Number::Int(amount.into())))
        }
        _ => return Ok(Lowered::NotMine),
    };
    wire(context, &work, direction, left, amount, out)?;
    Ok(Lowered::Done)
}

struct Work {
    signed: Option<ElementType>,
    unsigned: ElementType,
}

/// The unsigned type in which to shift, and the signed one of the same width. What is left of the width of a smaller
/// type falls off when it is cast back.
fn work_type(dtype: ElementType) -> Work {
    match dtype {
        ElementType::I64 => Work { signed: Some(ElementType::I64), unsigned: ElementType::U64 },
        ElementType::I32 | ElementType::I16 | ElementType::I8 => {
            Work { signed: Some(ElementType::I32), unsigned: ElementType::U32 }
        }
        ElementType::U64 => Work { signed: None, unsigned: ElementType::U64 },
        _ => Work { signed: None, unsigned: ElementType::U32 },
    }
}

fn wire(
    context: &mut Context<'_>,
    work: &Work,
    direction: &str,
    left: &TensorIr,
    amount: ValueId,
    out: &TensorIr,
) -> Result<()> {
    let (left_shape, shape) = (context.shape(left), context.shape(out));
    let value = context.input(left)?;
    let shifted = match work.signed.filter(|_| direction == "RIGHT") {
        Some(signed) => {
            let value = context.cast(value, signed);
            let zero = context.constant(Constant::scalar(signed, Number::Int(0)));
            let negative = context.apply("Less", &[value, zero], ElementType::Bool, &left_shape);
            let flipped = complement(context, value, &left_shape);
            let positive = context.apply("Where", &[negative, flipped, value], signed, &left_shape);
            let shifted = shift(context, work, direction, positive, amount, &shape);
            let shifted = context.cast(shifted, signed);
            let back = complement(context, shifted, &shape);
            context.apply("Where", &[negative, back, shifted], signed, &shape)
        }
        None => {
            let value = work.signed.map_or(value, |signed| context.cast(value, signed));
            let shifted = shift(context, work, direction, value, amount, &shape);
            work.signed.map_or(shifted, |signed| context.cast(shifted, signed))
        }
    };
    context.bind_cast(out, shifted)
}

fn shift(
    context: &mut Context<'_>,
    work: &Work,
    direction: &str,
    value: ValueId,
    amount: ValueId,
    shape: &[Dim],
) -> ValueId {
    let value = context.cast(value, work.unsigned);
    let attributes = attributes([("direction", direction.into())]);
    context.node("BitShift", &[value, amount], attributes, work.unsigned, shape.to_vec())
}

fn complement(context: &mut Context<'_>, value: ValueId, shape: &[Dim]) -> ValueId {
    let dtype = context.dtype(value);
    let ones = context.constant(Constant::scalar(dtype, Number::Int(-1)));
    context.apply("Sub", &[ones, value], dtype, shape)
}
