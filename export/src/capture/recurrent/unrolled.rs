//! The loop over the steps: every step writes its hidden state to its place in a tensor of all of them.

use std::collections::BTreeSet;

use burn::tensor::{DType, Shape, Slice};
use burn_ir::{BaseOperationIr, OperationIr, TensorId, TensorIr};

use super::cells::{Step, step};
use super::flow::{Flow, Walk};
use crate::recurrence::{Direction, Recurrence};

/// A loop and the operations it is made of.
pub(super) struct Unrolled {
    pub layer: Recurrence,
    pub taken: BTreeSet<usize>,
}

impl Unrolled {
    /// Where the layer stands in the trace: at the last operation of its loop.
    pub fn position(&self) -> Option<usize> {
        self.taken.last().copied()
    }

    /// Whether what lies inside is read there alone, and what comes out is read behind it.
    pub fn is_closed(&self, flow: &Flow<'_>) -> bool {
        let Some(end) = self.position() else { return false };
        let last = self.layer.directions.iter().flat_map(|direction| &direction.last);
        let open: BTreeSet<TensorId> = [&self.layer.steps].into_iter().chain(last).map(|tensor| tensor.id).collect();
        let mut made = self.taken.iter().flat_map(|index| flow.operations[*index].outputs());
        made.all(|tensor| {
            flow.readers(tensor.id)
                .all(|reader| self.taken.contains(&reader) || (reader > end && open.contains(&tensor.id)))
        })
    }
}

/// The loop whose first step is written by this operation.
pub(super) fn unrolled(flow: &Flow<'_>, index: usize) -> Option<Unrolled> {
    let first = flow.operations.get(index)?.outputs().next()?.id;
    let mut walk = Walk::new(flow);
    let blank = &walk.slice_assign(first)?.tensor;
    if blank.dtype != DType::F32 || blank.shape.num_dims() != 3 {
        return None;
    }
    walk.blank(blank.id)?;
    let length = blank.shape[1];
    let (mut steps, mut places, mut written, mut source) = (Vec::<Step>::new(), vec![], first, None::<&TensorIr>);
    for number in 0..length {
        if number > 0 {
            let next = flow.only_reader(written)?;
            written = flow.operations.get(next).filter(|next| writes_to(next, written))?.outputs().next()?.id;
        }
        let write = walk.slice_assign(written)?;
        let place = row(&write.ranges, &write.tensor.shape)?;
        let hidden = walk.reshape(write.value.id)?;
        let step = step(&mut walk, hidden.input.id)?;
        let input = walk.reshape(step.input)?;
        let cut = walk.slice(input.input.id)?;
        let same_row = input.out.shape.num_dims() == 2 && row(&cut.ranges, &cut.tensor.shape)? == place;
        let same_source = source.is_none_or(|source| source.id == cut.tensor.id);
        if !same_row || !same_source || !steps.last().is_none_or(|before| follows(before, &step)) {
            return None;
        }
        source = Some(&cut.tensor);
        places.push(place);
        steps.push(step);
    }
    let reversed = !places.iter().copied().eq(0..length);
    if reversed && !places.iter().rev().copied().eq(0..length) {
        return None;
    }
    let (input, start, end) = (source?, steps.first()?, steps.last()?);
    if input.shape[1] != length || input.dtype != DType::F32 {
        return None;
    }
    let last = end.after.iter().map(|id| tensor(flow, *id)).collect::<Option<Vec<_>>>()?;
    let initial = initial(&mut walk, &start.before)?;
    let directions = vec![Direction { reversed, gates: start.gates.clone(), initial, last }];
    let layer = Recurrence { cell: start.cell, input: input.clone(), directions, steps: tensor(flow, written)? };
    let found = Unrolled { layer, taken: walk.taken };
    found.is_closed(flow).then_some(found)
}

fn writes_to(operation: &OperationIr, id: TensorId) -> bool {
    matches!(operation, OperationIr::BaseFloat(BaseOperationIr::SliceAssign(ir)) if ir.tensor.id == id)
}

/// Whether a step goes on where another one ends, with the same weights.
fn follows(before: &Step, step: &Step) -> bool {
    let mut gates = before.gates.iter().zip(&step.gates);
    before.cell == step.cell && before.after == step.before && gates.all(|(a, b)| a.is(b))
}

/// The number of the one row along the second of three axes.
fn row(ranges: &[Slice], shape: &Shape) -> Option<usize> {
    let plain = ranges.len() == 3 && shape.num_dims() == 3 && ranges.iter().all(|range| range.step == 1);
    let all = |axis: usize| ranges[axis].to_range(shape[axis]) == (0..shape[axis]);
    if !plain || !all(0) || !all(2) {
        return None;
    }
    let range = ranges[1].to_range(shape[1]);
    (range.len() == 1).then_some(range.start)
}

/// The states before the first step: none where they are zeros, which are noted where nothing else reads them.
fn initial(walk: &mut Walk<'_>, before: &[TensorId]) -> Option<Vec<TensorIr>> {
    if !before.iter().all(|id| walk.is_zero(*id)) {
        return before.iter().map(|id| read(walk, *id)).collect();
    }
    for id in before {
        if walk.flow.readers(*id).all(|reader| walk.taken.contains(&reader)) {
            walk.taken.extend(walk.flow.maker(*id));
        }
    }
    Some(vec![])
}

/// A tensor as the operation that makes it has it.
fn tensor(flow: &Flow<'_>, id: TensorId) -> Option<TensorIr> {
    flow.operations.get(flow.maker(id)?)?.outputs().find(|tensor| tensor.id == id).cloned()
}

/// A tensor as an operation that reads it has it.
fn read(walk: &Walk<'_>, id: TensorId) -> Option<TensorIr> {
    let reader = walk.flow.readers(id).find(|reader| walk.taken.contains(reader))?;
    walk.flow.operations[reader].inputs().find(|tensor| tensor.id == id).cloned()
}
