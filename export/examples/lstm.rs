//! One step of an LSTM with its state as inputs and outputs, so that a caller can run any number of steps:
//! `cargo run --release -p selfie-export --example lstm`.
//!
//! Burn unrolls recurrent layers, so a file that takes whole sequences has one fixed length.

use burn::module::Module;
use burn::nn::{Lstm, LstmConfig, LstmState};
use burn::tensor::{Device, Tensor};
use selfie_export::{Export, Result};

const FEATURES: usize = 16;
const HIDDEN: usize = 32;

#[derive(Module, Debug)]
struct Step {
    lstm: Lstm,
}

impl Step {
    fn forward(&self, (x, cell, hidden): (Tensor<2>, Tensor<2>, Tensor<2>)) -> (Tensor<2>, Tensor<2>) {
        let (_, state) = self.lstm.forward(x.unsqueeze_dim(1), Some(LstmState::new(cell, hidden)));
        state.unpack()
    }
}

fn main() -> Result<()> {
    let device = Device::flex();
    let step = Step { lstm: LstmConfig::new(FEATURES, HIDDEN, true).init(&device) };

    let state = || Tensor::<2>::zeros([2, HIDDEN], &device);
    let model = Export::new(&step)
        .input("features", Tensor::<2>::zeros([2, FEATURES], &device), [(0, "batch")])
        .input("cell", state(), [(0, "batch")])
        .input("hidden", state(), [(0, "batch")])
        .outputs(["next_cell", "next_hidden"])
        .compile(Step::forward)?;

    for row in model.verify(&step, Step::forward, &[&[("batch", 1)], &[("batch", 9)]])? {
        println!("{row}");
    }
    model.save("lstm.onnx")
}
