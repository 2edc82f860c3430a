//! LSTM and GRU, in one direction and in both, over sequences of any length.
//!
//! # Source
//! Hochreiter, Schmidhuber 1997, long short-term memory; Cho et al. 2014, gated recurrent units.

use burn::module::Module;
use burn::nn::{
    BiGru, BiGruConfig, BiLstm, BiLstmConfig, Embedding, EmbeddingConfig, Gru, GruConfig, Linear, LinearConfig, Lstm,
    LstmConfig,
};
use burn::tensor::{Device, Int, Tensor};

use crate::network::{Network, SEQUENCES};

const WIDTH: usize = 8;

/// A recurrent layer between an embedding and a head that reads the last step.
#[derive(Module, Debug)]
struct Recurrent<L: Module> {
    embedding: Embedding,
    layer: L,
    head: Linear,
}

impl<L: Module> Recurrent<L> {
    fn new(layer: L, width: usize, device: &Device) -> Self {
        Self {
            embedding: EmbeddingConfig::new(20, WIDTH).init(device),
            layer,
            head: LinearConfig::new(width, 3).init(device),
        }
    }

    fn run(&self, tokens: Tensor<2, Int>, layer: impl Fn(&L, Tensor<3>) -> Tensor<3>) -> (Tensor<3>, Tensor<2>) {
        let steps = layer(&self.layer, self.embedding.forward(tokens));
        let length = steps.dims()[1];
        let last = steps.clone().narrow(1, length - 1, 1).squeeze_dim::<2>(1);
        (steps, self.head.forward(last))
    }
}

fn network<M: Module + 'static>(
    name: &'static str,
    module: M,
    forward: fn(&M, Tensor<2, Int>) -> (Tensor<3>, Tensor<2>),
) -> Network {
    let tokens = Tensor::<2, Int>::zeros([2, 6], &Device::flex());
    Network::new(
        name,
        module,
        forward,
        move |export| {
            export.input("tokens", tokens.clone(), [(0, "batch"), (1, "length")]).outputs(["steps", "logits"])
        },
        SEQUENCES,
    )
}

pub fn lstm() -> Network {
    let device = Device::flex();
    let layer = LstmConfig::new(WIDTH, 12, true).init(&device);
    network("LSTM", Recurrent::new(layer, 12, &device), |module: &Recurrent<Lstm>, tokens| {
        module.run(tokens, |layer, x| layer.forward(x, None).0)
    })
}

pub fn bidirectional_lstm() -> Network {
    let device = Device::flex();
    let layer = BiLstmConfig::new(WIDTH, 12, true).init(&device);
    network("Bidirectional LSTM", Recurrent::new(layer, 24, &device), |module: &Recurrent<BiLstm>, tokens| {
        module.run(tokens, |layer, x| layer.forward(x, None).0)
    })
}

pub fn gru() -> Network {
    let device = Device::flex();
    let layer = GruConfig::new(WIDTH, 12, true).init(&device);
    network("GRU", Recurrent::new(layer, 12, &device), |module: &Recurrent<Gru>, tokens| {
        module.run(tokens, |layer, x| layer.forward(x, None))
    })
}

pub fn bidirectional_gru() -> Network {
    let device = Device::flex();
    let layer = BiGruConfig::new(WIDTH, 12, true).with_reset_after(false).init(&device);
    network("Bidirectional GRU", Recurrent::new(layer, 24, &device), |module: &Recurrent<BiGru>, tokens| {
        module.run(tokens, |layer, x| layer.forward(x, None).0)
    })
}
