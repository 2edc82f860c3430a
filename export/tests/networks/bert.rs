//! BERT with its pooler.
//!
//! # Source
//! Devlin et al. 2018, BERT.

use burn::module::Module;
use burn::nn::transformer::{TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput};
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::{Bool, Device, Int, Tensor};

use crate::network::{Network, SEQUENCES};

#[derive(Module, Debug)]
struct Bert {
    words: Embedding,
    segments: Embedding,
    positions: Embedding,
    norm: LayerNorm,
    encoder: TransformerEncoder,
    pooler: Linear,
}

impl Bert {
    fn forward(&self, inputs: (Tensor<2, Int>, Tensor<2, Int>, Tensor<2, Bool>)) -> (Tensor<3>, Tensor<2>) {
        let (words, segments, padding) = inputs;
        let [_, length] = words.dims();
        let positions = Tensor::<1, Int>::arange(0..length as i64, &words.device()).unsqueeze();
        let x = self.words.forward(words) + self.segments.forward(segments) + self.positions.forward(positions);
        let x = self.encoder.forward(TransformerEncoderInput::new(self.norm.forward(x)).mask_pad(padding));
        let first = x.clone().narrow(1, 0, 1).squeeze_dim::<2>(1);
        (x, self.pooler.forward(first).tanh())
    }
}

pub fn bert() -> Network {
    let device = Device::flex();
    let embedding = |count| EmbeddingConfig::new(count, 16).init(&device);
    let module = Bert {
        words: embedding(40),
        segments: embedding(4),
        positions: embedding(32),
        norm: LayerNormConfig::new(16).with_epsilon(1e-12).init(&device),
        encoder: TransformerEncoderConfig::new(16, 32, 4, 2).init(&device),
        pooler: LinearConfig::new(16, 16).init(&device),
    };
    let integers = Tensor::<2, Int>::zeros([2, 6], &device);
    let padding = Tensor::<2>::zeros([2, 6], &device).bool();
    let axes = [(0, "batch"), (1, "length")];
    Network::new(
        "BERT",
        module,
        Bert::forward,
        move |export| {
            export
                .input("input_ids", integers.clone(), axes)
                .input("token_type_ids", integers.clone(), axes)
                .input("padding", padding.clone(), axes)
                .outputs(["last_hidden_state", "pooler_output"])
        },
        SEQUENCES,
    )
}
