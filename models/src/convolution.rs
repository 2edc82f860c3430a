//! Convolutions as ResNets have them.

use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Initializer, PaddingConfig2d};
use burn::tensor::Device;

/// How a square window moves over an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Rows and columns of the window.
    pub kernel: usize,
    /// Pixels from one position to the next.
    pub stride: usize,
    /// Pixels of zero around the image.
    pub padding: usize,
}

impl Window {
    /// The window of a square convolution.
    pub fn of(convolution: &Conv2d) -> Self {
        let kernel = convolution.kernel_size[0];
        let padding = match &convolution.padding {
            PaddingConfig2d::Explicit(top, ..) => *top,
            PaddingConfig2d::Same => kernel / 2,
            PaddingConfig2d::Valid => 0,
        };
        Self { kernel, stride: convolution.stride[0], padding }
    }

    /// Positions along a side.
    pub fn positions(&self, side: usize) -> usize {
        (side + 2 * self.padding - self.kernel) / self.stride + 1
    }

    /// Whether every pixel is the centre of one window.
    pub fn is_centred(&self) -> bool {
        self.stride == 1 && self.kernel == 2 * self.padding + 1
    }
}

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
