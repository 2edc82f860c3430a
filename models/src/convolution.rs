//! Convolutions as ResNets have them, and the faster way through a 1x1 one while training.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::{Device, Tensor};

/// A square convolution without bias and with He initialisation by its outputs.
///
/// # Source
/// He et al. 2015, "Delving deep into rectifiers".
pub(crate) fn convolution(
    [inputs, outputs]: [usize; 2],
    kernel: usize,
    stride: usize,
    padding: usize,
    device: &Device,
) -> Conv2d {
    Conv2dConfig::new([inputs, outputs], [kernel, kernel])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
        .with_bias(false)
        .with_initializer(Initializer::KaimingNormal { gain: std::f64::consts::SQRT_2, fan_out_only: true })
        .init(device)
}

/// Applies a 1x1 convolution.
///
/// Burn's CPU device takes about three times as long for the gradient of a 1x1 convolution as for that of the matrix
/// product which it is; so a network in training multiplies, and every other one, an exported one too, convolves.
///
/// # Shapes
/// - `x`: `[batch, inputs, height, width]` → `[batch, outputs, height / stride, width / stride]`
pub(crate) fn pointwise(convolution: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    if !x.device().is_autodiff() || convolution.stride != [1, 1] {
        return convolution.forward(x);
    }
    let weight = convolution.weight.val();
    let [outputs, inputs, _, _] = weight.dims();
    let [batch, _, height, width] = x.dims();
    let x: Tensor<3> = x.reshape([batch, inputs, height * width]);
    let weight: Tensor<3> = weight.reshape([1, outputs, inputs]);
    weight.matmul(x).reshape([batch, outputs, height, width])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::Module;
    use burn::tensor::{Distribution, Tolerance};

    #[test]
    fn training_multiplies_to_the_same_values_and_gradients() {
        let device = Device::flex().autodiff();
        for (stride, side) in [(1, 6), (2, 3)] {
            let layer = convolution([3, 5], 1, stride, 0, &device);
            let x: Tensor<4> = Tensor::random([2, 3, 6, 6], Distribution::Default, &device).require_grad();
            let pull: Tensor<4> = Tensor::random([2, 5, side, side], Distribution::Default, &device);
            let gradients = |y: Tensor<4>| {
                let gradients = (y * pull.clone()).sum().backward();
                let weight = layer.weight.val().grad(&gradients).unwrap().into_data();
                (weight, x.grad(&gradients).unwrap().into_data())
            };
            let (fast, plain) = (pointwise(&layer, x.clone()), layer.forward(x.clone()));
            let tolerance = Tolerance::<f32>::rel_abs(1e-5, 1e-5);
            fast.to_data().assert_approx_eq(&plain.to_data(), tolerance);
            fast.to_data().assert_approx_eq(&pointwise(&layer.valid(), x.clone().inner()).into_data(), tolerance);
            let (fast, plain) = (gradients(fast), gradients(plain));
            fast.0.assert_approx_eq(&plain.0, tolerance);
            fast.1.assert_approx_eq(&plain.1, tolerance);
        }
    }
}
