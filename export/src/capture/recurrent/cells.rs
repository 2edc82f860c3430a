//! One step of a recurrent layer, as a formula of its new hidden state.

use burn_ir::TensorId;

use super::flow::Walk;
use crate::recurrence::{Cell, Gate};

/// A step: which tensors go in and out, and with which weights.
pub(super) struct Step {
    pub cell: Cell,
    /// `[batch, input]`.
    pub input: TensorId,
    /// In the order of ONNX.
    pub gates: Vec<Gate>,
    /// The states before the step, hidden before cell.
    pub before: Vec<TensorId>,
    /// The states after it.
    pub after: Vec<TensorId>,
}

/// The step that makes a hidden state.
pub(super) fn step(walk: &mut Walk<'_>, hidden: TensorId) -> Option<Step> {
    lstm(walk, hidden).or_else(|| gru(walk, hidden)).or_else(|| rnn(walk, hidden))
}

/// `h = o * tanh(c)`, `c = f * c' + i * tanh(..)`.
fn lstm(walk: &mut Walk<'_>, hidden: TensorId) -> Option<Step> {
    let result = walk.scaled(hidden)?;
    let cell = walk.tanh(result.rhs.id)?;
    let sum = walk.sum(cell)?;
    let (kept, added) = (walk.scaled(sum.lhs.id)?, walk.scaled(sum.rhs.id)?);
    let mut sums = vec![];
    for gate in [added.lhs.id, result.lhs.id, kept.lhs.id] {
        sums.push(walk.sigmoid(gate)?);
    }
    sums.push(walk.tanh(added.rhs.id)?);
    let gates = sums.into_iter().map(|sum| gate(walk, sum)).collect::<Option<Vec<_>>>()?;
    let (input, before, gates) = shared(gates)?;
    Some(Step { cell: Cell::Lstm, input, gates, before: vec![before, kept.rhs.id], after: vec![hidden, cell] })
}

/// `h = tanh(..) * (1 - z) + z * h'`.
fn gru(walk: &mut Walk<'_>, hidden: TensorId) -> Option<Step> {
    let sum = walk.sum(hidden)?;
    let (renewed, kept) = (walk.scaled(sum.lhs.id)?, walk.scaled(sum.rhs.id)?);
    let (update, before) = (kept.lhs.id, kept.rhs.id);
    let update_sum = walk.sigmoid(update)?;
    if walk.complement(renewed.rhs.id)? != update {
        return None;
    }
    let candidate = walk.tanh(renewed.lhs.id)?;
    let sum = walk.sum(candidate)?;
    let input = walk.product(sum.lhs.id)?;
    let (recurrent, reset, reset_after) = match walk.scaled(sum.rhs.id) {
        Some(scaled) => (walk.product(scaled.rhs.id)?, scaled.lhs.id, true),
        None => {
            let recurrent = walk.product(sum.rhs.id)?;
            let scaled = walk.scaled(recurrent.input)?;
            if scaled.lhs.id != before {
                return None;
            }
            (recurrent, scaled.rhs.id, false)
        }
    };
    if reset_after && recurrent.input != before {
        return None;
    }
    let reset_sum = walk.sigmoid(reset)?;
    let new = Gate {
        weight: input.weight.clone(),
        recurrent: recurrent.weight.clone(),
        biases: both(input.bias, recurrent.bias)?,
    };
    let gates = vec![gate(walk, update_sum)?, gate(walk, reset_sum)?, (input.input, before, new)];
    let (input, hidden_before, gates) = shared(gates)?;
    let cell = Cell::Gru { reset_after };
    (hidden_before == before).then(|| Step { cell, input, gates, before: vec![before], after: vec![hidden] })
}

/// `h = tanh(..)`.
fn rnn(walk: &mut Walk<'_>, hidden: TensorId) -> Option<Step> {
    let sum = walk.tanh(hidden)?;
    let (input, before, gates) = shared(vec![gate(walk, sum)?])?;
    Some(Step { cell: Cell::Rnn, input, gates, before: vec![before], after: vec![hidden] })
}

/// The weights of a gate, behind the step's input and the hidden state that they meet.
type Wired = (TensorId, TensorId, Gate);

/// `x · W + b + h · R + b`.
fn gate(walk: &mut Walk<'_>, id: TensorId) -> Option<Wired> {
    let sum = walk.sum(id)?;
    let (input, recurrent) = (walk.product(sum.lhs.id)?, walk.product(sum.rhs.id)?);
    let gate = Gate {
        weight: input.weight.clone(),
        recurrent: recurrent.weight.clone(),
        biases: both(input.bias, recurrent.bias)?,
    };
    Some((input.input, recurrent.input, gate))
}

/// Both biases or none; `None` outside for one of them alone.
fn both<T: Clone>(first: Option<&T>, second: Option<&T>) -> Option<Option<[T; 2]>> {
    match (first, second) {
        (Some(first), Some(second)) => Some(Some([first.clone(), second.clone()])),
        (None, None) => Some(None),
        _ => None,
    }
}

/// What all gates of a step read, where that is the same.
fn shared(wired: Vec<Wired>) -> Option<(TensorId, TensorId, Vec<Gate>)> {
    let (input, hidden, first) = wired.first()?;
    let (input, hidden, biased) = (*input, *hidden, first.biases.is_some());
    let alike = wired.iter().all(|(x, h, gate)| (*x, *h, gate.biases.is_some()) == (input, hidden, biased));
    alike.then(|| (input, hidden, wired.into_iter().map(|(.., gate)| gate).collect()))
}
