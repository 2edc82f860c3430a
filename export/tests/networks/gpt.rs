//! GPT: causal attention, and a head that shares the weights of the embedding.
//!
//! # Source
//! Radford et al. 2019, language models are unsupervised multitask learners.

use burn::module::Module;
use burn::nn::attention::{MhaInput, MultiHeadAttention, MultiHeadAttentionConfig, generate_autoregressive_mask};
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::gelu_approximate;
use burn::tensor::{Bool, Device, Int, Tensor};

use crate::network::{Network, SEQUENCES};

const WIDTH: usize = 16;

#[derive(Module, Debug)]
struct Block {
    norm1: LayerNorm,
    attention: MultiHeadAttention,
    norm2: LayerNorm,
    widen: Linear,
    narrow: Linear,
}

impl Block {
    fn new(device: &Device) -> Self {
        let norm = || LayerNormConfig::new(WIDTH).init(device);
        Self {
            norm1: norm(),
            attention: MultiHeadAttentionConfig::new(WIDTH, 4).init(device),
            norm2: norm(),
            widen: LinearConfig::new(WIDTH, 4 * WIDTH).init(device),
            narrow: LinearConfig::new(4 * WIDTH, WIDTH).init(device),
        }
    }

    fn forward(&self, x: Tensor<3>, causal: Tensor<3, Bool>) -> Tensor<3> {
        let input = MhaInput::self_attn(self.norm1.forward(x.clone())).mask_attn(causal);
        let x = x + self.attention.forward(input).context;
        let y = self.narrow.forward(gelu_approximate(self.widen.forward(self.norm2.forward(x.clone()))));
        x + y
    }
}

#[derive(Module, Debug)]
struct Gpt {
    tokens: Embedding,
    positions: Embedding,
    blocks: Vec<Block>,
    norm: LayerNorm,
}

impl Gpt {
    fn forward(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let [batch, length] = tokens.dims();
        let device = tokens.device();
        let positions = Tensor::<1, Int>::arange(0..length as i64, &device).unsqueeze();
        let causal = generate_autoregressive_mask(batch, length, &device);
        let x = self.tokens.forward(tokens) + self.positions.forward(positions);
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x, causal.clone()));
        self.norm.forward(x).matmul(self.tokens.weight.val().transpose().unsqueeze())
    }
}

pub fn gpt() -> Network {
    let device = Device::flex();
    let embedding = |count| EmbeddingConfig::new(count, WIDTH).init(&device);
    let module = Gpt {
        tokens: embedding(40),
        positions: embedding(32),
        blocks: vec![Block::new(&device), Block::new(&device)],
        norm: LayerNormConfig::new(WIDTH).init(&device),
    };
    let tokens = Tensor::<2, Int>::zeros([2, 6], &device);
    let axes = [(0, "batch"), (1, "length")];
    Network::new(
        "GPT",
        module,
        Gpt::forward,
        move |export| export.input("input_ids", tokens.clone(), axes).outputs(["logits"]),
        SEQUENCES,
    )
}
