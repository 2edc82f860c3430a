//! Matrices whose product with an axis averages every window of an adaptive pool: pixel `p` counts for output `o` where
//! `⌊o · from / to⌋ <= p < ⌈(o + 1) · from / to⌉`.
//!
//! # Source
//! ONNX `Range`, `Mul`, `Div`, `GreaterOrEqual`, `Less`, `And`, where a size is only known when the model runs.

use super::Context;
use super::resample::{Factor, Matrix};
use crate::Result;
use crate::ir::{Constant, ElementType};
use crate::shapes::Dim;

/// The matrix of fixed sizes.
pub(super) fn known(from: usize, to: usize) -> Matrix {
    let mut numbers = vec![0.0; from * to];
    for output in 0..to {
        let (start, end) = (output * from / to, ((output + 1) * from).div_ceil(to));
        numbers[output * from + start..output * from + end].fill(1.0 / (end - start) as f64);
    }
    Matrix { to, from, numbers }
}

/// The same matrix, which the graph makes of the sizes.
pub(super) fn computed(context: &mut Context<'_>, from: &Dim, to: &Dim) -> Result<Factor> {
    const INTEGERS: ElementType = ElementType::I64;
    let column = [to.clone(), Dim::Fixed(1)];
    let matrix = [to.clone(), from.clone()];
    let sizes = [from, to].map(|size| context.integers(std::slice::from_ref(size)));
    let [from_size, to_size] = sizes;
    let (from_size, to_size) = (from_size?, to_size?);
    let (pixels, outputs) = (context.range(from)?, context.range(to)?);
    let upright = context.constant(Constant::i64s(&[-1, 1]));
    let outputs = context.apply("Reshape", &[outputs, upright], INTEGERS, &column);
    let scaled = context.apply("Mul", &[outputs, from_size], INTEGERS, &column);
    let starts = context.apply("Div", &[scaled, to_size], INTEGERS, &column);
    let (one, single) = (context.constant(Constant::i64s(&[1])), [Dim::Fixed(1)]);
    let both = context.apply("Add", &[from_size, to_size], INTEGERS, &single);
    let reach = context.apply("Sub", &[both, one], INTEGERS, &single);
    let reached = context.apply("Add", &[scaled, reach], INTEGERS, &column);
    let ends = context.apply("Div", &[reached, to_size], INTEGERS, &column);
    let behind = context.apply("GreaterOrEqual", &[pixels, starts], ElementType::Bool, &matrix);
    let before = context.apply("Less", &[pixels, ends], ElementType::Bool, &matrix);
    let inside = context.apply("And", &[behind, before], ElementType::Bool, &matrix);
    let count = context.apply("Sub", &[ends, starts], INTEGERS, &column);
    Ok(Factor::Computed { inside, count, to: to.clone(), from: from.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_overlap_where_the_sizes_do_not_divide() {
        let Matrix { numbers, .. } = known(5, 2);
        let third = 1.0 / 3.0;
        assert_eq!(numbers, [third, third, third, 0.0, 0.0, 0.0, 0.0, third, third, third]);
        assert_eq!(known(2, 3).numbers, [1.0, 0.0, 0.5, 0.5, 0.0, 1.0]);
    }
}
