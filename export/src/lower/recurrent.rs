//! Recurrent layers over a sequence of any length: LSTM, GRU and RNN as Burn's modules compute them.
//!
//! A layer that runs from the last step to the first turns the sequence round before and after: tract takes the direction
//! `reverse` for `forward`.
//!
//! # Source
//! ONNX `LSTM`, `GRU`, `RNN`, with the sequence along the first axis.

use burn_ir::{OperationIr, TensorIr};

use super::{Context, Lowered, Lowering};
use crate::Result;
use crate::ir::{Attributes, Constant, ElementType, ValueId, attributes};
use crate::recurrence::{Cell, Direction, Gate, Recurrence};
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "recurrent", operations: &[], lower };

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let Some(layer) = Recurrence::of(operation) else { return Ok(Lowered::NotMine) };
    let ways = layer.directions.len();
    let turned = ways == 1 && layer.directions.iter().any(|direction| direction.reversed);
    let mut x = context.input(&layer.input)?;
    x = exchanged(context, x);
    if turned {
        x = flipped(context, x);
    }
    let mut inputs = vec![Some(x)];
    for weight in [|gate: &Gate| gate.weight.clone(), |gate: &Gate| gate.recurrent.clone()] {
        let parts = each(&layer, |direction| matrix(context, direction, weight))?;
        inputs.push(Some(stacked(context, parts)));
    }
    let biases = each(&layer, |direction| biases(context, direction))?;
    let biases: Vec<ValueId> = biases.into_iter().flatten().collect();
    inputs.push(if biases.is_empty() { None } else { Some(stacked(context, biases)) });
    // The lengths of the sequences of a batch, which are all the same.
    inputs.push(None);
    for state in 0..layer.cell.states() {
        let initial: Vec<&TensorIr> = layer.directions.iter().filter_map(|it| it.initial.get(state)).collect();
        let parts = initial.into_iter().map(|tensor| context.input(tensor)).collect::<Result<Vec<_>>>()?;
        inputs.push(if parts.is_empty() { None } else { Some(stacked(context, parts)) });
    }
    while inputs.last() == Some(&None) {
        inputs.pop();
    }
    let outputs = run(context, &layer, inputs);
    let all = outputs[0];
    let steps = steps(context, all, turned);
    context.bind(&layer.steps, steps)?;
    let from_zeros = layer.directions.iter().all(|direction| direction.initial.is_empty());
    for (state, value) in outputs.into_iter().skip(1).enumerate() {
        for (way, direction) in layer.directions.iter().enumerate() {
            if let Some(last) = direction.last.get(state) {
                // tract confuses the zeros of the two states of an LSTM where it gives the last ones too.
                let value = match state {
                    0 if ways == 1 && layer.cell == Cell::Lstm && from_zeros => last_step(context, all)?,
                    _ => taken(context, value, way, ways)?,
                };
                context.bind(last, value)?;
            }
        }
    }
    Ok(Lowered::Done)
}

fn each<T>(layer: &Recurrence, make: impl FnMut(&Direction) -> Result<T>) -> Result<Vec<T>> {
    layer.directions.iter().map(make).collect()
}

/// The node: all hidden states `[length, ways, batch, hidden]` and the last of every state `[ways, batch, hidden]`.
fn run(context: &mut Context<'_>, layer: &Recurrence, inputs: Vec<Option<ValueId>>) -> Vec<ValueId> {
    let gate = layer.directions.iter().flat_map(|direction| &direction.gates).next();
    let hidden = gate.map_or(0, |gate| gate.recurrent.shape[0] as i64);
    let mut attributes = attributes([("hidden_size", hidden.into())]);
    if layer.directions.len() == 2 {
        attributes.insert("direction".to_string(), "bidirectional".into());
    }
    if layer.cell == (Cell::Gru { reset_after: true }) {
        attributes.insert("linear_before_reset".to_string(), 1.into());
    }
    let shape = context.shape(&layer.input);
    let state = vec![Dim::Fixed(layer.directions.len() as i64), shape[0].clone(), Dim::Fixed(hidden)];
    let all = [&shape[1..2], &state].concat();
    let dtype = inputs.first().copied().flatten().map_or(ElementType::F32, |x| context.dtype(x));
    let states = std::iter::repeat_n(state, layer.cell.states());
    let outputs = std::iter::once(all).chain(states).map(|shape| (dtype, shape)).collect();
    context.nodes(layer.cell.operator(), inputs, attributes, outputs)
}

/// The weights of all gates as ONNX has them: `[gates · hidden, input]`.
fn matrix(context: &mut Context<'_>, direction: &Direction, weight: fn(&Gate) -> TensorIr) -> Result<ValueId> {
    let gates = direction.gates.iter().map(|gate| context.input(&weight(gate))).collect::<Result<Vec<_>>>()?;
    let wide = joined(context, gates, 1);
    let swapped = context.value_shape(wide).into_iter().rev().collect();
    let dtype = context.dtype(wide);
    Ok(context.node("Transpose", &[wide], attributes([("perm", vec![1, 0].into())]), dtype, swapped))
}

/// The biases of all gates where the input meets its weights, and then those where the state does.
fn biases(context: &mut Context<'_>, direction: &Direction) -> Result<Option<ValueId>> {
    let of = |side: usize| direction.gates.iter().filter_map(move |gate| gate.biases.as_ref().map(|pair| &pair[side]));
    let parts = of(0).chain(of(1)).map(|bias| context.input(bias)).collect::<Result<Vec<_>>>()?;
    Ok(if parts.is_empty() { None } else { Some(joined(context, parts, 0)) })
}

/// The hidden states of all steps as Burn has them: `[batch, length, ways · hidden]`.
fn steps(context: &mut Context<'_>, value: ValueId, turned: bool) -> ValueId {
    let shape = context.value_shape(value);
    let (dtype, ways) = (context.dtype(value), &shape[1]);
    if *ways == Dim::Fixed(1) {
        let axis = context.constant(Constant::i64s(&[1]));
        let squeezed = [shape[0].clone(), shape[2].clone(), shape[3].clone()];
        let mut steps = context.apply("Squeeze", &[value, axis], dtype, &squeezed);
        if turned {
            steps = flipped(context, steps);
        }
        return exchanged(context, steps);
    }
    let order = [2, 0, 1, 3];
    let ordered = order.map(|axis| shape[axis].clone()).to_vec();
    let perm = order.map(|axis| axis as i64).to_vec();
    let apart = context.node("Transpose", &[value], attributes([("perm", perm.into())]), dtype, ordered);
    let width = [ways, &shape[3]].into_iter().filter_map(Dim::fixed).product();
    let target = context.constant(Constant::i64s(&[0, 0, width]));
    let wide = [shape[2].clone(), shape[0].clone(), Dim::Fixed(width)];
    context.apply("Reshape", &[apart, target], dtype, &wide)
}

/// One way of a state: `[ways, batch, hidden]` → `[batch, hidden]`.
fn taken(context: &mut Context<'_>, state: ValueId, way: usize, ways: usize) -> Result<ValueId> {
    let one = if ways == 1 {
        state
    } else {
        let ends = [way, way + 1].map(|end| Dim::Fixed(end as i64));
        context.slice(state, 0, [&ends[0], &ends[1]], 1, Dim::Fixed(1))?
    };
    let axis = context.constant(Constant::i64s(&[0]));
    let shape = context.value_shape(state)[1..].to_vec();
    Ok(context.apply("Squeeze", &[one, axis], context.dtype(state), &shape))
}

/// The hidden state after the last step: `[length, 1, batch, hidden]` → `[batch, hidden]`.
fn last_step(context: &mut Context<'_>, steps: ValueId) -> Result<ValueId> {
    let one = context.slice(steps, 0, [&Dim::Fixed(-1), &Dim::Fixed(i64::MAX)], 1, Dim::Fixed(1))?;
    let axes = context.constant(Constant::i64s(&[0, 1]));
    let shape = context.value_shape(steps)[2..].to_vec();
    Ok(context.apply("Squeeze", &[one, axes], context.dtype(steps), &shape))
}

/// The first two axes in the other order.
fn exchanged(context: &mut Context<'_>, value: ValueId) -> ValueId {
    let (dtype, mut shape) = (context.dtype(value), context.value_shape(value));
    shape.swap(0, 1);
    context.node("Transpose", &[value], attributes([("perm", vec![1, 0, 2].into())]), dtype, shape)
}

/// The steps, along the first axis, in the other order.
fn flipped(context: &mut Context<'_>, value: ValueId) -> ValueId {
    let operands = [-1, i64::MIN, 0, -1].map(|operand| context.constant(Constant::i64s(&[operand])));
    let inputs = [&[value], operands.as_slice()].concat();
    context.same("Slice", &inputs, Attributes::new())
}

/// The parts side by side along an axis.
fn joined(context: &mut Context<'_>, parts: Vec<ValueId>, axis: usize) -> ValueId {
    if let [only] = parts[..] {
        return only;
    }
    let mut shape = context.value_shape(parts[0]);
    let sizes = parts.iter().filter_map(|part| context.value_shape(*part).get(axis)?.fixed());
    shape[axis] = Dim::Fixed(sizes.sum());
    let dtype = context.dtype(parts[0]);
    context.node("Concat", &parts, attributes([("axis", (axis as i64).into())]), dtype, shape)
}

/// The parts along a new first axis.
fn stacked(context: &mut Context<'_>, parts: Vec<ValueId>) -> ValueId {
    let mut rows = Vec::with_capacity(parts.len());
    for part in parts {
        let axis = context.constant(Constant::i64s(&[0]));
        let shape = [&[Dim::Fixed(1)], context.value_shape(part).as_slice()].concat();
        rows.push(context.apply("Unsqueeze", &[part, axis], context.dtype(part), &shape));
    }
    joined(context, rows, 0)
}
