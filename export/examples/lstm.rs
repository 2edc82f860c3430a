//! An LSTM over sequences of any length, with its state as input and output, so that a caller can go on where a sequence
//! stopped: `cargo run --release -p selfie-export --example lstm`.
//!
//! Burn runs the layer step by step; the file has one node `LSTM` for all of them.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig, Lstm, LstmConfig, LstmState};
use burn::tensor::{Device, Tensor};
use selfie_export::{Export, Result};

const FEATURES: usize = 16;
const HIDDEN: usize = 32;
const CLASSES: usize = 4;

#[derive(Module, Debug)]
struct Tagger {
    lstm: Lstm,
    head: Linear,
}

impl Tagger {
    fn forward(&self, (x, cell, hidden): (Tensor<3>, Tensor<2>, Tensor<2>)) -> (Tensor<3>, Tensor<2>, Tensor<2>) {
        let (steps, state) = self.lstm.forward(x, Some(LstmState::new(cell, hidden)));
        (self.head.forward(steps), state.cell, state.hidden)
    }
}

fn main() -> Result<()> {
    let device = Device::flex();
    let lstm = LstmConfig::new(FEATURES, HIDDEN, true).init(&device);
    let tagger = Tagger { lstm, head: LinearConfig::new(HIDDEN, CLASSES).init(&device) };

    let state = || Tensor::<2>::zeros([2, HIDDEN], &device);
    let model = Export::new(&tagger)
        .input("features", Tensor::<3>::zeros([2, 5, FEATURES], &device), [(0, "batch"), (1, "length")])
        .input("cell", state(), [(0, "batch")])
        .input("hidden", state(), [(0, "batch")])
        .outputs(["logits", "next_cell", "next_hidden"])
        .compile(Tagger::forward)?;
    println!("{}", model.graph().dump());

    let sizes: &[&[(&str, usize)]] = &[&[("batch", 1), ("length", 1)], &[("batch", 9), ("length", 33)]];
    for row in model.verify(&tagger, Tagger::forward, sizes)? {
        println!("{row}");
    }
    model.save("lstm.onnx")
}
