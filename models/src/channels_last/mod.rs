//! Feature maps with the channels last, for GPUs: convolutions as matrix products, batch normalisation in few passes.
//!
//! Burn's convolutions on a GPU choose among two dozen kernels by compiling and timing each of them, for every shape anew; a residual
//! network has dozens of shapes and had not begun after two minutes. A matrix product needs no such choice, and 1x1 convolutions,
//! two thirds of a bottleneck network, are nothing but one. Long sums over a batch (the gradient of a kernel, the statistics of a
//! normalisation) are cut into pieces, so that every processor of the GPU has one.
//!
//! | file | what it holds |
//! |---|---|
//! | `layers` | both layers by tensor operations, which Burn differentiates |
//! | `operation` | both as operations with a way back of their own, in training |

mod layers;
mod operation;

use crate::convolution::Window;
use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};

/// Whether a tensor is on a device for which this is the faster way: a GPU of this machine.
pub fn is_fast<const D: usize>(x: &Tensor<D>) -> bool {
    is_gpu(&x.device())
}

#[cfg(feature = "gpu")]
fn is_gpu(device: &Device) -> bool {
    use burn::backend::DispatchDevice;
    matches!(device.clone().without_autodiff().as_dispatch(), DispatchDevice::Cube(_))
}

#[cfg(not(feature = "gpu"))]
fn is_gpu(_device: &Device) -> bool {
    false
}

/// Applies a square convolution without bias.
///
/// # Shapes
/// - `x`: `[batch, height, width, inputs]` → `[batch, rows, columns, outputs]`
pub fn convolve(x: Tensor<4>, convolution: &Conv2d) -> Tensor<4> {
    let window = Window::of(convolution);
    let weight = convolution.weight.val();
    // A product of matrices alone: Burn's way back has no pass too many.
    let is_product = window == Window { kernel: 1, stride: 1, padding: 0 };
    if is_product { layers::convolve(x, weight, window) } else { operation::convolve(x, weight, window) }
}

/// Applies batch normalisation in the numbers of its parameters and statistics, and gives back those of the input.
///
/// # Shapes
/// - `x`: `[batch, height, width, channels]`, the output has the same
pub fn normalise(x: Tensor<4>, norm: &BatchNorm) -> Tensor<4> {
    let (own, of_x) = (norm.gamma.val().dtype(), x.dtype());
    let x = if own == of_x { x } else { x.cast(own) };
    let y = if x.device().is_autodiff() && norm.training.is_enabled() {
        let normalised = operation::normalise(x, norm.gamma.val(), norm.beta.val(), norm.epsilon);
        for (running, batch) in [(&norm.running_mean, normalised.mean), (&norm.running_var, normalised.variance)] {
            let before = running.value_sync().to_device(&normalised.output.device()).mul_scalar(1.0 - norm.momentum);
            running.update(before.add(batch.mul_scalar(norm.momentum)).detach());
        }
        normalised.output
    } else {
        layers::normalise(x, norm)
    };
    if own == of_x { y } else { y.cast(of_x) }
}
