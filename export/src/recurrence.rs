//! A recurrent layer as one operation. Burn's IR has none, so a trace holds it as a custom operation.

use burn_ir::{CustomOpIr, OperationIr, ScalarIr, TensorIr};

/// What is computed at every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// Long short-term memory, with a hidden state and a cell state.
    Lstm,
    /// A gated recurrent unit, which resets the hidden state before or after it meets its weights.
    Gru { reset_after: bool },
    /// One layer with a hyperbolic tangent.
    Rnn,
}

/// The weights of one gate: `x · weight + bias` and `h · recurrent + bias`.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    /// `[input, hidden]`.
    pub weight: TensorIr,
    /// `[hidden, hidden]`.
    pub recurrent: TensorIr,
    /// `[hidden]` each, that of the input first.
    pub biases: Option<[TensorIr; 2]>,
}

/// A way through the steps.
#[derive(Clone, Debug)]
pub(crate) struct Direction {
    /// From the last step to the first.
    pub reversed: bool,
    /// In the order of ONNX.
    pub gates: Vec<Gate>,
    /// The states before the first step, `[batch, hidden]`, hidden before cell; empty where they are zero.
    pub initial: Vec<TensorIr>,
    /// The states after the last step.
    pub last: Vec<TensorIr>,
}

/// A recurrent layer.
#[derive(Clone, Debug)]
pub(crate) struct Recurrence {
    pub cell: Cell,
    /// `[batch, length, input]`.
    pub input: TensorIr,
    /// One way, or there and back.
    pub directions: Vec<Direction>,
    /// The hidden states of all steps, `[batch, length, directions · hidden]`.
    pub steps: TensorIr,
}

impl Cell {
    /// The operator of ONNX.
    pub fn operator(self) -> &'static str {
        match self {
            Self::Lstm => "LSTM",
            Self::Gru { .. } => "GRU",
            Self::Rnn => "RNN",
        }
    }

    fn id(self) -> &'static str {
        match self {
            Self::Lstm => "selfie.LSTM",
            Self::Gru { reset_after: true } => "selfie.GRU",
            Self::Gru { reset_after: false } => "selfie.GRU.reset_before",
            Self::Rnn => "selfie.RNN",
        }
    }

    fn of(id: &str) -> Option<Self> {
        let all = [Self::Lstm, Self::Gru { reset_after: true }, Self::Gru { reset_after: false }, Self::Rnn];
        all.into_iter().find(|cell| cell.id() == id)
    }

    fn gates(self) -> usize {
        match self {
            Self::Lstm => 4,
            Self::Gru { .. } => 3,
            Self::Rnn => 1,
        }
    }

    /// How many tensors hold the state.
    pub fn states(self) -> usize {
        if self == Self::Lstm { 2 } else { 1 }
    }
}

impl Gate {
    fn tensors(&self) -> impl Iterator<Item = &TensorIr> {
        [&self.weight, &self.recurrent].into_iter().chain(self.biases.iter().flatten())
    }

    /// Whether both read the same tensors.
    pub fn is(&self, other: &Self) -> bool {
        self.tensors().map(|tensor| tensor.id).eq(other.tensors().map(|tensor| tensor.id))
    }
}

impl Recurrence {
    /// Whether gates have biases, and whether the initial states are given.
    fn form(&self) -> [bool; 2] {
        let first = self.directions.first();
        let biased = first.and_then(|direction| direction.gates.first()).is_some_and(|gate| gate.biases.is_some());
        [biased, first.is_some_and(|direction| !direction.initial.is_empty())]
    }

    /// The layer as an operation of a trace.
    pub fn into_operation(self) -> OperationIr {
        let flags = self.form().into_iter().chain(self.directions.iter().map(|direction| direction.reversed));
        let scalars = flags.map(ScalarIr::Bool).collect();
        let (mut inputs, mut outputs) = (vec![self.input], vec![self.steps]);
        for direction in self.directions {
            inputs.extend(direction.gates.iter().flat_map(Gate::tensors).cloned());
            inputs.extend(direction.initial);
            outputs.extend(direction.last);
        }
        OperationIr::Custom(CustomOpIr::with_scalars(self.cell.id(), &inputs, &outputs, scalars))
    }

    /// The layer behind an operation of a trace.
    pub fn of(operation: &OperationIr) -> Option<Self> {
        let OperationIr::Custom(custom) = operation else { return None };
        let cell = Cell::of(&custom.id)?;
        let mut flags = custom.scalars.iter().map(|flag| matches!(flag, ScalarIr::Bool(true)));
        let (biased, started) = (flags.next()?, flags.next()?);
        let (mut inputs, mut outputs) = (custom.inputs.iter().cloned(), custom.outputs.iter().cloned());
        let (input, steps) = (inputs.next()?, outputs.next()?);
        let mut directions = Vec::new();
        for reversed in flags {
            let mut gates = Vec::with_capacity(cell.gates());
            for _ in 0..cell.gates() {
                let (weight, recurrent) = (inputs.next()?, inputs.next()?);
                let biases = if biased { Some([inputs.next()?, inputs.next()?]) } else { None };
                gates.push(Gate { weight, recurrent, biases });
            }
            let initial = inputs.by_ref().take(if started { cell.states() } else { 0 }).collect();
            let last = outputs.by_ref().take(cell.states()).collect();
            directions.push(Direction { reversed, gates, initial, last });
        }
        Some(Self { cell, input, directions, steps })
    }
}
