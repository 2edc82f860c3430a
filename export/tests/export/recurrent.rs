//! Recurrent layers over sequences of any length, which Burn runs step by step.

use burn::module::Module;
use burn::nn::activation::ActivationConfig;
use burn::nn::{
    BiGru, BiGruConfig, BiLstm, BiLstmConfig, BiRnn, BiRnnConfig, Gru, GruConfig, Lstm, LstmConfig, LstmState, Rnn,
    RnnConfig,
};
use burn::tensor::{Device, Tensor};
use selfie_export::precision::{Half, HalfType, Keep};
use selfie_export::verify::Tolerance;
use selfie_export::{Export, Inputs, Outputs};

use crate::support::{EXACT, Table, cases, differences, export, tables};
use crate::weights::drawn;

tables!(lstm_follows_the_length, bidirectional_lstm_follows_the_length, gru_follows_the_length, rnn_follows_the_length);

const WIDTH: usize = 3;
const HIDDEN: usize = 5;

/// Batches and lengths that are not recorded.
const SIZES: &[&[(&str, usize)]] = &[
    &[("batch", 1), ("length", 1)],
    &[("batch", 4), ("length", 2)],
    &[("batch", 1), ("length", 7)],
    &[("batch", 3), ("length", 33)],
];

const UNSTARTED: &str = "it confuses the zeros of the two states where the last cell is read";

type Sequence = Tensor<3>;
type State = Tensor<2>;

/// Compiles a layer with a dynamic batch and length at every opset and compares it at [`SIZES`].
fn case<M: Module, I: Inputs, O: Outputs>(
    table: &mut Table,
    name: &str,
    module: M,
    request: impl for<'m> Fn(Export<'m, M>) -> Export<'m, M>,
    forward: impl Fn(&M, I) -> O,
) {
    let module = drawn(module);
    let compile = |opset| request(export(&module)).opset(opset).compile(&forward);
    table.sized(13, name, SIZES, compile, |model, sizes| cases(&module, model, &forward, sizes));
}

/// A sequence along the second axis.
fn sequence<'m, M: Module>(export: Export<'m, M>) -> Export<'m, M> {
    let x = Tensor::<3>::zeros([2, 4, WIDTH], &Device::flex());
    export.input("x", x, [(0, "batch"), (1, "length")])
}

/// A sequence along the first axis.
fn sequence_first<'m, M: Module>(export: Export<'m, M>) -> Export<'m, M> {
    let x = Tensor::<3>::zeros([4, 2, WIDTH], &Device::flex());
    export.input("x", x, [(0, "length"), (1, "batch")])
}

fn state<'m, M: Module>(export: Export<'m, M>, name: &str) -> Export<'m, M> {
    export.input(name, Tensor::<2>::zeros([2, HIDDEN], &Device::flex()), [(0, "batch")])
}

fn states<'m, M: Module>(export: Export<'m, M>, name: &str) -> Export<'m, M> {
    export.input(name, Tensor::<3>::zeros([2, 2, HIDDEN], &Device::flex()), [(1, "batch")])
}

fn lstm_follows_the_length(table: &mut Table) {
    let device = Device::flex();
    let config = |bias| LstmConfig::new(WIDTH, HIDDEN, bias);
    let all = |m: &Lstm, x: Sequence| {
        let (steps, state) = m.forward(x, None);
        (steps, state.hidden, state.cell)
    };
    let outputs = ["steps", "hidden", "cell"];
    for (name, bias) in [("LSTM", true), ("LSTM without biases", false)] {
        table.beyond_tract(UNSTARTED);
        case(table, name, config(bias).init(&device), |e| sequence(e).outputs(outputs), all);
    }
    let reversed = config(true).with_reverse(true).init(&device);
    table.beyond_tract(UNSTARTED);
    case(table, "LSTM from the end", reversed, |e| sequence(e).outputs(outputs), all);
    let hidden = |m: &Lstm, x: Sequence| {
        let (steps, state) = m.forward(x, None);
        (steps, state.hidden)
    };
    case(table, "no cell", config(true).init(&device), |e| sequence(e).outputs(["steps", "hidden"]), hidden);
    let layer = config(true).with_batch_first(false).init(&device);
    table.beyond_tract(UNSTARTED);
    case(table, "LSTM, steps first", layer, |e| sequence_first(e).outputs(outputs), all);
    let forward = |m: &Lstm, (x, cell, hidden): (Sequence, State, State)| {
        let (steps, state) = m.forward(x, Some(LstmState::new(cell, hidden)));
        (steps, state.hidden, state.cell)
    };
    case(
        table,
        "LSTM from a state",
        config(true).init(&device),
        |e| state(state(sequence(e), "cell0"), "hidden0").outputs(outputs),
        forward,
    );
}

fn bidirectional_lstm_follows_the_length(table: &mut Table) {
    let device = Device::flex();
    let layer = |bias| BiLstmConfig::new(WIDTH, HIDDEN, bias);
    let outputs = ["steps", "hidden", "cell"];
    let all = |m: &BiLstm, x: Sequence| {
        let (steps, state) = m.forward(x, None);
        (steps, state.hidden, state.cell)
    };
    case(table, "both ways", layer(false).init(&device), |e| sequence(e).outputs(outputs), all);
    let first = layer(true).with_batch_first(false).init(&device);
    case(table, "steps first", first, |e| sequence_first(e).outputs(outputs), all);
    let forward = |m: &BiLstm, (x, cell, hidden): (Sequence, Tensor<3>, Tensor<3>)| {
        let (steps, state) = m.forward(x, Some(LstmState::new(cell, hidden)));
        (steps, state.hidden, state.cell)
    };
    case(
        table,
        "both ways from a state",
        layer(true).init(&device),
        |e| states(states(sequence(e), "cell0"), "hidden0").outputs(outputs),
        forward,
    );
}

fn gru_follows_the_length(table: &mut Table) {
    let device = Device::flex();
    for (name, bias, reset_after) in
        [("GRU", true, true), ("GRU without biases", false, true), ("GRU that resets before", true, false)]
    {
        let layer = GruConfig::new(WIDTH, HIDDEN, bias).with_reset_after(reset_after).init(&device);
        let forward = |m: &Gru, x: Sequence| m.forward(x, None);
        case(table, name, layer, |e| sequence(e).outputs(["steps"]), forward);
    }
    let layer = GruConfig::new(WIDTH, HIDDEN, true).init(&device);
    let forward = |m: &Gru, (x, hidden): (Sequence, State)| m.forward(x, Some(hidden));
    case(table, "GRU from a state", layer, |e| state(sequence(e), "hidden0").outputs(["steps"]), forward);
    for (name, reset_after) in [("GRU both ways", true), ("GRU both ways that resets before", false)] {
        let layer = BiGruConfig::new(WIDTH, HIDDEN, true).with_reset_after(reset_after).init(&device);
        let forward = |m: &BiGru, x: Sequence| m.forward(x, None);
        case(table, name, layer, |e| sequence(e).outputs(["steps", "hidden"]), forward);
    }
}

fn rnn_follows_the_length(table: &mut Table) {
    let device = Device::flex();
    let outputs = ["steps", "hidden"];
    for (name, reverse) in [("RNN", false), ("RNN from the end", true)] {
        let layer = RnnConfig::new(WIDTH, HIDDEN, true).with_reverse(reverse).init(&device);
        let forward = |m: &Rnn, x: Sequence| {
            let (steps, state) = m.forward(x, None);
            (steps, state.hidden)
        };
        case(table, name, layer, |e| sequence(e).outputs(outputs), forward);
    }
    let layer = BiRnnConfig::new(WIDTH, HIDDEN, false).init(&device);
    let forward = |m: &BiRnn, x: Sequence| {
        let (steps, state) = m.forward(x, None);
        (steps, state.hidden)
    };
    case(table, "RNN both ways", layer, |e| sequence(e).outputs(outputs), forward);
}

/// Layers on top of each other, the second of which reads the first from the end, and the last step alone.
#[test]
fn stacked_layers_follow_the_length() {
    let device = Device::flex();
    let config = LstmConfig::new(WIDTH, HIDDEN, true);
    let first = config.init(&device);
    let second = LstmConfig::new(HIDDEN, 2, true).with_reverse(true).init(&device);
    let module = drawn((first, second));
    let forward = |m: &(Lstm, Lstm), x: Sequence| {
        let steps = m.0.forward(x, None).0;
        let length = steps.dims()[1];
        m.1.forward(steps, None).0.narrow(1, length - 1, 1)
    };
    let model = sequence(Export::new(&module)).outputs(["last"]).compile(forward);
    let mut table = Table::default();
    table.judge("two layers", model, |model| {
        let mut wrong = differences(&module, model, forward, SIZES, EXACT);
        let count = |op: &str| model.graph().nodes.iter().filter(|node| node.op == op).count();
        if (count("LSTM"), count("MatMul"), count("Gemm")) != (2, 0, 0) {
            wrong.push("a layer is not one node".to_string());
        }
        wrong
    });
    table.finish();
}

/// Formulas that ONNX's operators do not have, or that runtimes read as others: step by step, as Burn runs them.
#[test]
fn other_formulas_stay_unrolled_at_a_fixed_length() {
    let device = Device::flex();
    let config = LstmConfig::new(WIDTH, HIDDEN, true);
    let mut table = Table::default();
    for (name, config) in [
        ("clipped", config.clone().with_clip(Some(0.2))),
        ("coupled", config.clone().with_input_forget(true)),
        ("other gates", config.clone().with_gate_activation(ActivationConfig::Relu)),
    ] {
        let module = drawn(config.init(&device));
        let forward = |m: &Lstm, x: Sequence| m.forward(x, None).0;
        let x = Tensor::<3>::zeros([2, 4, WIDTH], &device);
        let model = Export::new(&module).input("x", x, [(0, "batch")]).outputs(["steps"]).compile(forward);
        table.judge(name, model, |model| {
            let mut wrong = differences(&module, model, forward, &[&[("batch", 3)]], EXACT);
            if model.graph().nodes.iter().any(|node| node.op == "LSTM") {
                wrong.push("it became an LSTM".to_string());
            }
            wrong
        });
    }
    table.finish();
}

#[test]
fn half_precision_stores_the_weights_and_computes_in_32_bits() {
    let module = drawn(LstmConfig::new(WIDTH, HIDDEN, true).init(&Device::flex()));
    let forward = |m: &Lstm, x: Sequence| m.forward(x, None).0;
    let mut model = sequence(Export::new(&module)).outputs(["steps"]).compile(forward).expect("the layer compiles");
    let before = model.graph().constant_bytes();
    let report = model.to_half(&Half { dtype: HalfType::F16, keep: Keep::default(), io: false }).expect("f16");
    assert_eq!(report.stored, 1, "{report:?}");
    assert!(model.graph().constant_bytes() * 2 <= before + 128, "{} of {before}", model.graph().constant_bytes());
    let near = Tolerance { absolute: 1e-3, relative: 1e-2 };
    let wrong = differences(&module, &model, forward, SIZES, near);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
