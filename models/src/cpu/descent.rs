//! A step of gradient descent in one pass over the numbers.

use super::simd;
use crate::descent::Rates;
use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::{DType, Tensor};
use rayon::prelude::*;

/// Numbers that a processor takes at a time.
const CHUNK: usize = 16 * 1024;

/// Whether a tensor is on the CPU device, without automatic differentiation, in 32 bits, and lies in memory as it is.
pub fn is_plain<const D: usize>(x: &Tensor<D>) -> bool {
    let is_whole = |x: FlexTensor| x.as_slice::<f32>().is_some_and(|numbers| numbers.len() == x.storage::<f32>().len());
    x.dtype() == DType::F32 && x.clone().try_into_primitive::<Flex>().is_ok_and(is_whole)
}

/// The weight and the velocity after a step.
///
/// # Panics
/// One of the tensors is not [`is_plain`].
pub fn descend<const D: usize>(
    weight: Tensor<D>,
    gradient: Tensor<D>,
    velocity: Tensor<D>,
    rates: Rates,
) -> (Tensor<D>, Tensor<D>) {
    let (mut weight, gradient, mut velocity) = (plain(weight), plain(gradient), plain(velocity));
    // What others hold as well is copied first.
    let (weights, velocities) = (weight.storage_mut::<f32>(), velocity.storage_mut::<f32>());
    let rates = [rates.lr, rates.momentum, rates.weight_decay].map(|rate| rate as f32);
    weights
        .par_chunks_mut(CHUNK)
        .zip(gradient.storage::<f32>().par_chunks(CHUNK))
        .zip(velocities.par_chunks_mut(CHUNK))
        .for_each(|((weight, gradient), velocity)| simd::descend(weight, gradient, velocity, rates));
    (Tensor::from_primitive::<Flex>(weight), Tensor::from_primitive::<Flex>(velocity))
}

#[expect(clippy::expect_used, reason = "the caller has asked is_plain")]
fn plain<const D: usize>(x: Tensor<D>) -> FlexTensor {
    x.try_into_primitive::<Flex>().expect("a tensor on the CPU device")
}
