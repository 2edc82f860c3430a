//! Stochastic gradient descent with Nesterov momentum, as the paper's re-implementation has it.

use crate::Recipe;
use crate::layers::layers;
use crate::parameters::spared_by_decay;
use burn::module::{Module, ParamGroup, ParamId};
use burn::optim::{LearningRate, ModuleOptimizer, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};
use selfie_models::descent::{self, Rates};

/// Where a checkpoint has the velocity of a parameter: as Burn's `Sgd` has it.
const VELOCITY: &str = "momentum.velocity";

/// Makes the optimiser of a module whose parameters are numbered by place.
///
/// Weight decay reaches weight matrices and kernels alone; see [`spared_by_decay`]. With a `layer_decay` below 1 every
/// layer has the learning rate of the next one times that factor, the last layer the whole one.
///
/// # Source
/// Layer-wise learning rates: Clark et al. 2020, "ELECTRA"; Bao et al. 2021, "BEiT".
pub(crate) fn new<M: Module>(module: &M, recipe: &Recipe) -> ModuleOptimizer {
    let Recipe { momentum, weight_decay, layer_decay, .. } = *recipe;
    let decayed = Nesterov { momentum, weight_decay, scale: 1.0 };
    let plain = Nesterov { weight_decay: 0.0, ..decayed };
    let spared = spared_by_decay(module);
    if layer_decay == 1.0 {
        return ModuleOptimizer::from(decayed).with_group(ParamGroup::from_ids(spared), plain, None);
    }
    let layers = layers(module);
    let last = layers.len().saturating_sub(1);
    let mut optimiser = ModuleOptimizer::from(decayed);
    for (place, layer) in layers.into_iter().enumerate() {
        let scale = layer_decay.powi((last - place) as i32);
        let (spared, decayable): (Vec<ParamId>, Vec<ParamId>) = layer.ids.iter().partition(|id| spared.contains(id));
        for (ids, nesterov) in [(decayable, decayed), (spared, plain)] {
            optimiser = optimiser.with_group(ParamGroup::from_ids(ids), Nesterov { scale, ..nesterov }, None);
        }
    }
    optimiser
}

/// Nesterov's method.
#[derive(Clone, Copy)]
struct Nesterov {
    momentum: f64,
    weight_decay: f64,
    /// Part of the learning rate.
    scale: f64,
}

/// What a parameter takes along from step to step.
#[derive(Clone)]
struct Velocity<const D: usize>(Tensor<D>);

impl Optimizer for Nesterov {
    type State<const D: usize> = Velocity<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let Self { momentum, weight_decay, scale } = *self;
        let velocity = state.map_or_else(|| gradient.zeros_like(), |Velocity(velocity)| velocity);
        let rates = Rates { lr: lr * scale, momentum, weight_decay };
        let (tensor, velocity) = descent::step(tensor, gradient, velocity, rates);
        (tensor, Some(Velocity(velocity)))
    }

    fn to_device<const D: usize>(Velocity(velocity): Self::State<D>, device: &Device) -> Self::State<D> {
        Velocity(velocity.to_device(device))
    }
}

impl<const D: usize> RecordState for Velocity<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, VELOCITY, self.0.to_data());
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        src.take_tensor(prefix, VELOCITY).map(|velocity| Self(Tensor::from_data(velocity, device)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::number_by_place;
    use burn::nn::{Linear, LinearConfig};
    use burn::optim::GradientsParams;

    /// One step from weight `w` with gradient `g`, momentum and decay, as PyTorch's SGD(nesterov=True) computes it.
    struct Reference {
        velocity: Option<f64>,
        momentum: f64,
        decay: f64,
    }

    impl Reference {
        fn step(&mut self, weight: f64, gradient: f64, lr: f64) -> f64 {
            let gradient = gradient + self.decay * weight;
            let velocity = self.velocity.map_or(gradient, |velocity| self.momentum * velocity + gradient);
            self.velocity = Some(velocity);
            weight - lr * (gradient + self.momentum * velocity)
        }
    }

    #[test]
    fn steps_are_those_of_nesterov_s_method_and_decay_spares_biases() {
        let device = Device::flex().autodiff();
        let mut layer: Linear = number_by_place(LinearConfig::new(1, 1).init(&device));
        let recipe = Recipe { momentum: 0.9, weight_decay: 0.1, ..Recipe::default() };
        let mut optimiser = new(&layer, &recipe);
        let read = |layer: &Linear| {
            let bias = layer.bias.as_ref().unwrap().val().into_scalar::<f32>();
            (f64::from(layer.weight.val().into_scalar::<f32>()), f64::from(bias))
        };
        let (mut weight, mut bias) = read(&layer);
        let mut of_weight = Reference { velocity: None, momentum: 0.9, decay: 0.1 };
        let mut of_bias = Reference { decay: 0.0, velocity: None, momentum: 0.9 };
        for (step, input) in [1.0, -2.0, 3.0, 0.5].into_iter().enumerate() {
            let loss = layer.forward(Tensor::<2>::full([1, 1], input, &device)).sum();
            let gradients = GradientsParams::from_grads(loss.backward(), &layer);
            layer = optimiser.step(0.1, layer, gradients);
            (weight, bias) = (of_weight.step(weight, input, 0.1), of_bias.step(bias, 1.0, 0.1));
            let found = read(&layer);
            assert!((found.0 - weight).abs() < 1e-5, "step {step}: weight {} wants {weight}", found.0);
            assert!((found.1 - bias).abs() < 1e-5, "step {step}: bias {} wants {bias}", found.1);
        }
    }
}
