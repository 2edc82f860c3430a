//! A step of stochastic gradient descent with Nesterov's momentum.

use crate::cpu;
use burn::tensor::Tensor;

/// What decides a step, beside the numbers themselves.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Learning rate.
    pub lr: f64,
    /// Part of the velocity that stays.
    pub momentum: f64,
    /// Part of the weight that is added to its gradient.
    pub weight_decay: f64,
}

/// The weight and the velocity after a step: on the CPU device by one pass over the numbers, to the same bits as by Burn's operations.
///
/// # Source
/// Sutskever et al. 2013, as PyTorch's `SGD(nesterov=True)` has it.
pub fn step<const D: usize>(
    weight: Tensor<D>,
    gradient: Tensor<D>,
    velocity: Tensor<D>,
    rates: Rates,
) -> (Tensor<D>, Tensor<D>) {
    let are_plain = [&weight, &gradient, &velocity].into_iter().all(cpu::is_plain);
    let step = if are_plain { cpu::descend } else { by_operations };
    step(weight, gradient, velocity, rates)
}

fn by_operations<const D: usize>(
    weight: Tensor<D>,
    gradient: Tensor<D>,
    velocity: Tensor<D>,
    Rates { lr, momentum, weight_decay }: Rates,
) -> (Tensor<D>, Tensor<D>) {
    let gradient = weight.clone().mul_scalar(weight_decay).add(gradient);
    let velocity = gradient.clone().add(velocity.mul_scalar(momentum));
    let step = velocity.clone().mul_scalar(momentum).add(gradient);
    (weight - step.mul_scalar(lr), velocity)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn one_pass_gives_the_bits_of_burn_s_operations_and_leaves_shared_numbers_alone() {
        let numbers = |scale: f32| -> Tensor<2> {
            let wave: Tensor<1> = burn::tensor::Tensor::arange(0..20_001, &Device::flex()).float();
            wave.mul_scalar(scale).sin().reshape([3, 6667])
        };
        let rates = Rates { lr: 0.1, momentum: 0.9, weight_decay: 5e-4 };
        let (mut one, mut other) = ((numbers(0.7), numbers(0.0)), (numbers(0.7), numbers(0.0)));
        let start = one.0.clone();
        for scale in [0.3, 1.9, 2.7] {
            assert!(cpu::is_plain(&one.0) && cpu::is_plain(&one.1));
            one = step(one.0, numbers(scale), one.1, rates);
            other = by_operations(other.0, numbers(scale), other.1, rates);
            assert_eq!(one.0.to_data(), other.0.to_data());
            assert_eq!(one.1.to_data(), other.1.to_data());
        }
        assert_eq!(start.into_data(), numbers(0.7).into_data());
        // Not as it lies in memory: the same numbers, by the operations.
        let turned = step(numbers(0.7).transpose(), numbers(0.3).transpose(), numbers(0.0).transpose(), rates).0;
        let straight = step(numbers(0.7), numbers(0.3), numbers(0.0), rates).0;
        assert_eq!(turned.transpose().into_data(), straight.into_data());
    }
}
