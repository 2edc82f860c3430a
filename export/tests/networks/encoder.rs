//! Transformer encoder with padding.
//!
//! # Source
//! Vaswani et al. 2017, attention is all you need.

use burn::module::Module;
use burn::nn::transformer::{TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput};
use burn::nn::{PositionalEncoding, PositionalEncodingConfig};
use burn::tensor::{Bool, Device, Tensor};

use crate::network::{Network, SEQUENCES};

#[derive(Module, Debug)]
struct Encoder {
    position: PositionalEncoding,
    encoder: TransformerEncoder,
}

impl Encoder {
    fn forward(&self, (x, padding): (Tensor<3>, Tensor<2, Bool>)) -> Tensor<3> {
        self.encoder.forward(TransformerEncoderInput::new(self.position.forward(x)).mask_pad(padding))
    }
}

pub fn encoder() -> Network {
    let device = Device::flex();
    let module = Encoder {
        position: PositionalEncodingConfig::new(16).with_max_sequence_size(32).init(&device),
        encoder: TransformerEncoderConfig::new(16, 32, 4, 2).init(&device),
    };
    let features = Tensor::<3>::zeros([2, 6, 16], &device);
    let padding = Tensor::<2>::zeros([2, 6], &device).bool();
    let axes = [(0, "batch"), (1, "length")];
    Network::new(
        "Transformer encoder",
        module,
        Encoder::forward,
        move |export| {
            export
                .input("features", features.clone(), axes)
                .input("padding", padding.clone(), axes)
                .outputs(["encoded"])
        },
        SEQUENCES,
    )
}
