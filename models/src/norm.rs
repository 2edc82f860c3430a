//! Batch normalisation of numbers that may have fewer bits than its own.

use burn::nn::BatchNorm;
use burn::tensor::Tensor;

/// Applies a batch normalisation in the numbers of its parameters and statistics, and gives back those of the input.
///
/// # Shapes
/// - `x`: `[batch, channels, ..]`, the output has the same
pub(crate) fn normalise<const D: usize>(norm: &BatchNorm, x: Tensor<D>) -> Tensor<D> {
    let (own, of_x) = (norm.gamma.val().dtype(), x.dtype());
    if own == of_x { norm.forward(x) } else { norm.forward(x.cast(own)).cast(of_x) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::BatchNormConfig;
    use burn::tensor::{DType, Device, Distribution, FloatDType};

    #[test]
    fn numbers_of_16_bits_are_normalised_in_32_and_come_back_in_16() {
        let device = Device::flex().autodiff();
        // A mean far from zero: in bfloat16 the variance around it would be lost.
        let x: Tensor<3> = Tensor::random([64, 2, 3], Distribution::Normal(100.0, 1.0), &device);
        let x = x.cast(FloatDType::BF16);
        let [wide, narrow] = [x.clone().cast(FloatDType::F32), x].map(|x| {
            let norm = BatchNormConfig::new(2).init(&device);
            let y = normalise(&norm, x);
            let statistics = [&norm.running_mean, &norm.running_var].map(|running| running.value_sync().into_data());
            (y.dtype(), y.cast(FloatDType::F32).into_data().iter::<f32>().collect::<Vec<_>>(), statistics)
        });
        assert_eq!((wide.0, narrow.0), (DType::F32, DType::BF16));
        assert_eq!(wide.2, narrow.2);
        let largest = wide.1.iter().zip(&narrow.1).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(largest < 0.02, "{largest}");
    }
}
