//! Recurrent layers as one operation.
//!
//! Burn runs LSTM, GRU and RNN step by step, so that a trace has as many operations as the sequence has steps. Where the
//! steps are those of a layer with its usual activations (sigmoid for gates, tanh for states) and without clipping, the
//! whole loop becomes one operation, and traces of several lengths agree. Anything else stays as Burn recorded it.

mod bidirectional;
mod cells;
mod flow;
mod unrolled;

use burn_ir::{OperationIr, TensorId};

use bidirectional::join;
use flow::Flow;
use unrolled::{Unrolled, unrolled};

/// Replaces every loop over the steps of a recurrent layer by one operation.
pub(super) fn fold_recurrent(operations: Vec<OperationIr>, outputs: &[TensorId]) -> Vec<OperationIr> {
    let flow = Flow::of(&operations, outputs);
    let loops: Vec<Unrolled> = (0..operations.len()).filter_map(|index| unrolled(&flow, index)).collect();
    let loops = join(&flow, loops);
    let mut folded = Vec::with_capacity(operations.len());
    for (index, operation) in operations.iter().enumerate() {
        match loops.iter().find(|found| found.taken.contains(&index)) {
            None => folded.push(operation.clone()),
            Some(found) if found.position() == Some(index) => folded.push(found.layer.clone().into_operation()),
            Some(_) => {}
        }
    }
    folded
}

#[cfg(test)]
mod tests;
