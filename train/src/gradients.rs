//! Clipping of all gradients together, by their global norm.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{FloatDType, Tensor};

/// The norm of all gradients of a module as one vector, before clipping, `[1]`; nothing when there are no gradients.
pub(crate) fn global_norm<M: Module>(module: &M, gradients: &GradientsParams) -> Option<Tensor<1>> {
    let mut squares = Squares { gradients, sum: None };
    module.visit(&mut squares);
    squares.sum.map(Tensor::sqrt)
}

/// Scales all gradients of a module by `largest / norm` where their global norm is above `largest`.
///
/// # Source
/// Pascanu, Mikolov and Bengio 2013, algorithm 1, over all parameters at once.
pub(crate) fn clip<M: Module>(
    module: &M,
    mut gradients: GradientsParams,
    norm: &Tensor<1>,
    largest: f64,
) -> GradientsParams {
    // The factor stays on the device: reading it here would wait for the device once more a step.
    let factor = norm.clone().add_scalar(f32::MIN_POSITIVE).recip().mul_scalar(largest).clamp_max(1.0);
    module.visit(&mut Scaling { gradients: &mut gradients, factor });
    gradients
}

/// Gives all gradients of a module 32 bits.
pub(crate) fn widened<M: Module>(module: &M, mut gradients: GradientsParams) -> GradientsParams {
    module.visit(&mut Widening(&mut gradients));
    gradients
}

struct Squares<'a> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            // Burn's CPU device adds 4 million numbers and more in an order that depends on its threads. Two sums, the
            // first one along an axis, stay below that and so give the same bits every time.
            let square = gradient.square().sum_dim(0).sum();
            self.sum = Some(match self.sum.take() {
                Some(sum) => sum + square,
                None => square,
            });
        }
    }
}

struct Scaling<'a> {
    gradients: &'a mut GradientsParams,
    factor: Tensor<1>,
}

impl ModuleVisitor for Scaling<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            let factor = self.factor.clone().reshape([1; D]);
            self.gradients.register(param.id, gradient * factor);
        }
    }
}

struct Widening<'a>(&'a mut GradientsParams);

impl ModuleVisitor for Widening<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.0.remove::<D>(param.id) {
            self.0.register(param.id, gradient.cast(FloatDType::F32));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::{Linear, LinearConfig};
    use burn::tensor::Device;

    fn gradients(scale: f64) -> (Linear, GradientsParams) {
        let device = Device::flex().autodiff();
        let layer = LinearConfig::new(3, 4).init(&device);
        let loss = layer.forward(Tensor::<2>::ones([2, 3], &device)).sum().mul_scalar(scale);
        let gradients = GradientsParams::from_grads(loss.backward(), &layer);
        (layer, gradients)
    }

    fn value(norm: Option<Tensor<1>>) -> f32 {
        norm.unwrap().into_scalar::<f32>()
    }

    #[test]
    fn the_norm_is_over_weights_and_biases_and_clipping_brings_it_to_the_bound() {
        // Every one of the 12 weights and 4 biases has gradient 2.
        let (layer, gradients) = gradients(1.0);
        let norm = global_norm(&layer, &gradients).unwrap();
        assert!((norm.clone().into_scalar::<f32>() - 8.0).abs() < 1e-4);
        let clipped = clip(&layer, gradients, &norm, 2.0);
        assert!((value(global_norm(&layer, &clipped)) - 2.0).abs() < 1e-4);
        let weight: Tensor<2> = clipped.get(layer.weight.id).unwrap();
        assert!(weight.into_data().iter::<f32>().all(|gradient| (gradient - 0.5).abs() < 1e-5));
    }

    #[test]
    fn small_and_zero_gradients_are_left_alone() {
        for (scale, expected) in [(0.01, 0.08), (0.0, 0.0)] {
            let (layer, gradients) = gradients(scale);
            let norm = global_norm(&layer, &gradients).unwrap();
            let clipped = clip(&layer, gradients, &norm, 1.0);
            assert!((value(global_norm(&layer, &clipped)) - expected).abs() < 1e-6, "scale {scale}");
        }
    }
}
