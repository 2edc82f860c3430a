//! Products of one axis with a matrix of known numbers: every linear change of the size of an axis.
//!
//! # Source
//! ONNX `MatMul`, `Reshape`.

use super::Context;
use crate::ir::{Constant, ValueId};
use crate::shapes::Dim;

/// A matrix `[to, from]`, row by row.
pub(super) struct Matrix {
    pub to: usize,
    pub from: usize,
    pub numbers: Vec<f64>,
}

impl Matrix {
    fn transposed(&self) -> Vec<f64> {
        let column = |column: usize| self.numbers.iter().skip(column).step_by(self.from);
        (0..self.from).flat_map(column).copied().collect()
    }
}

/// Multiplies an axis; all axes behind it must be fixed unless there are fewer than two.
pub(super) fn along(context: &mut Context<'_>, value: ValueId, axis: usize, matrix: &Matrix) -> ValueId {
    let (dtype, mut shape) = (context.dtype(value), context.value_shape(value));
    shape[axis] = Dim::Fixed(matrix.to as i64);
    let behind = shape.len() - axis - 1;
    if behind == 0 {
        let right = Constant::floats(dtype, vec![matrix.from, matrix.to], matrix.transposed());
        let right = context.constant(right);
        return context.apply("MatMul", &[value, right], dtype, &shape);
    }
    let left = Constant::floats(dtype, vec![matrix.to, matrix.from], matrix.numbers.iter().copied());
    let left = context.constant(left);
    if behind == 1 {
        return context.apply("MatMul", &[left, value], dtype, &shape);
    }
    let flat = shape[axis + 1..].iter().map(Dim::fixed).product::<Option<i64>>();
    let flat = flat.map_or(Dim::Opaque(vec![]), Dim::Fixed);
    let mut target = vec![0; axis];
    target.extend([matrix.from as i64, -1]);
    let mut matrices = shape[..axis].to_vec();
    matrices.extend([Dim::Fixed(matrix.from as i64), flat]);
    let target = context.constant(Constant::i64s(&target));
    let rows = context.apply("Reshape", &[value, target], dtype, &matrices);
    matrices[axis] = Dim::Fixed(matrix.to as i64);
    let product = context.apply("MatMul", &[left, rows], dtype, &matrices);
    let mut target = vec![0; axis];
    target.push(matrix.to as i64);
    target.extend(shape[axis + 1..].iter().map(|dim| dim.fixed().unwrap_or(-1)));
    let target = context.constant(Constant::i64s(&target));
    context.apply("Reshape", &[product, target], dtype, &shape)
}
