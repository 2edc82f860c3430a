//! Two layers over one sequence, there and back, whose hidden states lie side by side: one layer of two directions.

use burn_ir::{BaseOperationIr, CatOpIr, OperationIr};

use super::flow::Flow;
use super::unrolled::Unrolled;
use crate::recurrence::{Direction, Recurrence};

/// Joins the loops that are the two directions of one layer.
pub(super) fn join(flow: &Flow<'_>, mut loops: Vec<Unrolled>) -> Vec<Unrolled> {
    for (index, operation) in flow.operations.iter().enumerate() {
        let OperationIr::BaseFloat(BaseOperationIr::Cat(cat)) = operation else { continue };
        let [first, second] = cat.tensors.as_slice() else { continue };
        let of = |id| loops.iter().position(|found| found.layer.steps.id == id);
        let (Some(there), Some(back)) = (of(first.id), of(second.id)) else { continue };
        if let Some(both) = both(cat, index, &loops[there], &loops[back]).filter(|both| both.is_closed(flow)) {
            let mut position = 0..;
            loops.retain(|_| position.next().is_some_and(|position| position != there && position != back));
            loops.push(both);
        }
    }
    loops
}

fn both(cat: &CatOpIr, index: usize, there: &Unrolled, back: &Unrolled) -> Option<Unrolled> {
    let (a, b) = (&there.layer, &back.layer);
    let (forward, reverse) = (a.directions.first()?, b.directions.first()?);
    let alike = a.cell == b.cell && a.input.id == b.input.id && form(forward) == form(reverse);
    if cat.dim != 2 || forward.reversed || !reverse.reversed || !alike || a.directions.len() + b.directions.len() != 2 {
        return None;
    }
    let directions = vec![forward.clone(), reverse.clone()];
    let layer = Recurrence { cell: a.cell, input: a.input.clone(), directions, steps: cat.out.clone() };
    let taken = there.taken.iter().chain(&back.taken).copied().chain([index]).collect();
    Some(Unrolled { layer, taken })
}

/// What both directions must have in common: the width of the state, biases, and whether they start from given states.
fn form(direction: &Direction) -> (Option<usize>, bool, usize) {
    let gate = direction.gates.first();
    let width = gate.map(|gate| gate.recurrent.shape[0]);
    (width, gate.is_some_and(|gate| gate.biases.is_some()), direction.initial.len())
}
