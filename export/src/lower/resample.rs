//! Products of one axis with a matrix: every linear change of the size of an axis.
//!
//! # Source
//! ONNX `MatMul`, `Reshape`, `Transpose`.

use super::Context;
use crate::ir::{Attributes, Constant, ElementType, ValueId, attributes};
use crate::shapes::Dim;

/// A matrix `[to, from]` of known numbers, row by row.
pub(super) struct Matrix {
    pub to: usize,
    pub from: usize,
    pub numbers: Vec<f64>,
}

/// What an axis is multiplied with.
pub(super) enum Factor {
    /// Numbers that are known.
    Known(Matrix),
    /// Averages that the graph makes: which pixels are inside the window of each output, `[to, from]`, and how many, `[to, 1]`.
    Computed { inside: ValueId, count: ValueId, to: Dim, from: Dim },
}

impl Factor {
    fn sizes(&self) -> [Dim; 2] {
        match self {
            Self::Known(matrix) => [matrix.to, matrix.from].map(|size| Dim::Fixed(size as i64)),
            Self::Computed { to, from, .. } => [to.clone(), from.clone()],
        }
    }

    /// The matrix, or its transpose.
    fn value(&self, context: &mut Context<'_>, dtype: ElementType, turned: bool) -> ValueId {
        let [to, from] = self.sizes();
        match self {
            Self::Known(Matrix { to, from, numbers }) if turned => {
                let column = |column: usize| numbers.iter().skip(column).step_by(*from);
                let turned: Vec<f64> = (0..*from).flat_map(column).copied().collect();
                context.constant(Constant::floats(dtype, vec![*from, *to], turned))
            }
            Self::Known(Matrix { to, from, numbers }) => {
                context.constant(Constant::floats(dtype, vec![*to, *from], numbers.iter().copied()))
            }
            Self::Computed { inside, count, .. } => {
                let [inside, count] = [*inside, *count].map(|value| context.cast(value, dtype));
                let matrix = context.apply("Div", &[inside, count], dtype, &[to.clone(), from.clone()]);
                match turned {
                    true => {
                        let order = attributes([("perm", vec![1, 0].into())]);
                        context.node("Transpose", &[matrix], order, dtype, vec![from, to])
                    }
                    false => matrix,
                }
            }
        }
    }
}

/// Multiplies an axis; all axes behind it must be fixed unless there are fewer than two.
pub(super) fn along(context: &mut Context<'_>, value: ValueId, axis: usize, factor: &Factor) -> ValueId {
    let (dtype, mut shape) = (context.dtype(value), context.value_shape(value));
    let [to, from] = factor.sizes();
    shape[axis] = to.clone();
    let behind = shape.len() - axis - 1;
    let matrix = factor.value(context, dtype, behind == 0);
    match behind {
        0 => return context.apply("MatMul", &[value, matrix], dtype, &shape),
        1 => return context.apply("MatMul", &[matrix, value], dtype, &shape),
        _ => {}
    }
    let flat = shape[axis + 1..].iter().map(Dim::fixed).product::<Option<i64>>();
    let flat = flat.map_or(Dim::Opaque(vec![]), Dim::Fixed);
    // A zero copies the size of the axis at its place.
    let mut target = vec![0; axis + 1];
    target.push(-1);
    let mut matrices = shape[..axis].to_vec();
    matrices.extend([from, flat]);
    let target = context.constant(Constant::i64s(&target));
    let rows = context.apply("Reshape", &[value, target], dtype, &matrices);
    matrices[axis] = to;
    let product = context.node("MatMul", &[matrix, rows], Attributes::new(), dtype, matrices);
    let mut target = vec![0; axis + 1];
    target.extend(shape[axis + 1..].iter().map(|dim| dim.fixed().unwrap_or(-1)));
    let target = context.constant(Constant::i64s(&target));
    context.apply("Reshape", &[product, target], dtype, &shape)
}
