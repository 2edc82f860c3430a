//! Transformer decoder with a causal mask and padding on both sides.
//!
//! # Source
//! Vaswani et al. 2017, attention is all you need.

use burn::nn::attention::generate_autoregressive_mask;
use burn::nn::transformer::{TransformerDecoder, TransformerDecoderConfig, TransformerDecoderInput};
use burn::tensor::{Bool, Device, Tensor};

use crate::network::{Network, Sizes};

const SIZES: &[Sizes] =
    &[&[("batch", 1), ("length", 1), ("memory_length", 4)], &[("batch", 7), ("length", 15), ("memory_length", 11)]];

type Input = (Tensor<3>, Tensor<3>, Tensor<2, Bool>, Tensor<2, Bool>);

fn forward(decoder: &TransformerDecoder, (target, memory, target_padding, memory_padding): Input) -> Tensor<3> {
    let [batch, length, _] = target.dims();
    let causal = generate_autoregressive_mask(batch, length, &target.device());
    let input = TransformerDecoderInput::new(target, memory)
        .target_mask_attn(causal)
        .target_mask_pad(target_padding)
        .memory_mask_pad(memory_padding);
    decoder.forward(input)
}

pub fn decoder() -> Network {
    let device = Device::flex();
    let module = TransformerDecoderConfig::new(16, 32, 4, 2).with_norm_first(true).init(&device);
    let features = |length| Tensor::<3>::zeros([2, length, 16], &device);
    let padding = |length| Tensor::<2>::zeros([2, length], &device).bool();
    let (target, memory) = ((features(6), padding(6)), (features(9), padding(9)));
    let (axes, memory_axes) = ([(0, "batch"), (1, "length")], [(0, "batch"), (1, "memory_length")]);
    Network::new(
        "Transformer decoder",
        module,
        forward,
        move |export| {
            export
                .input("target", target.0.clone(), axes)
                .input("memory", memory.0.clone(), memory_axes)
                .input("target_padding", target.1.clone(), axes)
                .input("memory_padding", memory.1.clone(), memory_axes)
                .outputs(["decoded"])
        },
        SIZES,
    )
}
