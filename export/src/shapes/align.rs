//! Several traces become one program with symbolic shapes.

use std::collections::BTreeMap;

use burn::tensor::TensorData;
use burn_ir::{OperationIr, TensorId, TensorIr};

use super::operation::{Difference, difference};
use super::{Dim, Ramp, Samples, operation_name};
use crate::capture::{Recording, Trace};
use crate::error::Divergence;
use crate::{Error, Result};

/// What errors say about constants that differ between the traces.
const CONSTANTS: &str = "; of constants built from the size only numbers in equal steps can follow it";

/// One operation as every trace shows it.
pub(crate) struct AlignedOperation {
    /// The operation in every trace.
    pub operations: Vec<OperationIr>,
    /// Path of the source module, as far as it is known.
    pub path: String,
    /// Attributes whose numbers differ between the traces.
    pub differing: Vec<String>,
}

/// The traces as one: tensors carry the ids of the first trace.
pub(crate) struct Program {
    pub operations: Vec<AlignedOperation>,
    pub shapes: BTreeMap<TensorId, Vec<Dim>>,
    pub inputs: Vec<TensorIr>,
    pub outputs: Vec<TensorId>,
    pub values: BTreeMap<TensorId, TensorData>,
    /// Constants that count up to a dynamic size.
    pub ramps: BTreeMap<TensorId, Ramp>,
    pub parameters: BTreeMap<TensorId, String>,
    pub samples: Samples,
}

/// Aligns the traces of a recording.
///
/// # Errors
/// The first operation, shape or constant that differs in a way no expression covers.
pub(crate) fn align(recording: Recording) -> Result<Program> {
    let Recording { traces, mut values, parameters, samples, sizes } = recording;
    let Some(first) = traces.first() else { return Err(Error::Request("nothing was recorded".into())) };
    let paths = crate::capture::module_paths(&first.operations, &parameters);
    let mut aligner = Aligner {
        maps: vec![BTreeMap::new(); traces.len()],
        shapes: BTreeMap::new(),
        ramps: BTreeMap::new(),
        values: &values,
        samples: &samples,
        sizes: &sizes,
    };
    for position in 0..first.inputs.len() {
        let tensors: Vec<&TensorIr> = traces.iter().map(|trace| &trace.inputs[position]).collect();
        aligner.define(&tensors);
    }
    let mut operations = Vec::with_capacity(first.operations.len());
    let longest = traces.iter().map(|trace| trace.operations.len()).max().unwrap_or(0);
    for index in 0..longest {
        let path = paths.get(index).or(paths.last()).cloned().unwrap_or_default();
        let operation = aligner.operation(index, &traces, path);
        operations.push(operation.map_err(|error| aligner.blame_loop(error, &traces))?);
    }
    for position in 0..first.outputs.len() {
        let ids: Vec<TensorId> = traces.iter().filter_map(|trace| trace.outputs.get(position).copied()).collect();
        aligner.output(position, &ids, longest)?;
    }
    let (shapes, ramps) = (aligner.shapes, aligner.ramps);
    let (inputs, outputs) = (first.inputs.clone(), first.outputs.clone());
    values.retain(|id, _| shapes.contains_key(id) || parameters.contains_key(id) || outputs.contains(id));
    for input in &inputs {
        values.remove(&input.id);
    }
    Ok(Program { operations, shapes, inputs, outputs, values, ramps, parameters, samples })
}

struct Aligner<'a> {
    maps: Vec<BTreeMap<TensorId, TensorId>>,
    shapes: BTreeMap<TensorId, Vec<Dim>>,
    ramps: BTreeMap<TensorId, Ramp>,
    values: &'a BTreeMap<TensorId, TensorData>,
    samples: &'a Samples,
    sizes: &'a [String],
}

impl Aligner<'_> {
    fn operation(&mut self, index: usize, traces: &[Trace], path: String) -> Result<AlignedOperation> {
        let at = |trace: usize| traces[trace].operations.get(index);
        let name = |trace: usize| at(trace).map_or("the end".to_string(), operation_name);
        let mut differing = Vec::new();
        for trace in 1..traces.len() {
            let (Some(a), Some(b)) = (at(0), at(trace)) else {
                return Err(self.diverged(index, trace, path, &name(0), &name(trace)));
            };
            match difference(a, b) {
                Difference::None => {}
                Difference::Numbers(found) => differing.extend(found),
                Difference::Other(what) => {
                    return Err(Error::SizeDependent { index, operation: name(0), path, what, detail: String::new() });
                }
                Difference::Operation => return Err(self.diverged(index, trace, path, &name(0), &name(trace))),
            }
        }
        differing.sort();
        differing.dedup();
        let operations: Vec<OperationIr> = (0..traces.len()).filter_map(|trace| at(trace).cloned()).collect();
        let inputs: Vec<Vec<&TensorIr>> = operations.iter().map(|operation| operation.inputs().collect()).collect();
        let outputs: Vec<Vec<&TensorIr>> = operations.iter().map(|operation| operation.outputs().collect()).collect();
        let ids = |tensors: &[&TensorIr]| tensors.iter().map(|tensor| tensor.id).collect::<Vec<_>>();
        for position in 0..inputs[0].len() {
            let tensors: Option<Vec<&TensorIr>> = inputs.iter().map(|tensors| tensors.get(position).copied()).collect();
            let same = |tensors: &[&TensorIr]| {
                tensors.iter().enumerate().all(|(trace, tensor)| self.same_source(trace, tensors[0], tensor))
            };
            let Some(tensors) = tensors.filter(|tensors| same(tensors) || self.ramp(&ids(tensors)).is_some()) else {
                let what = format!("input {position}");
                let detail = format!(": it is another tensor or another constant at another size{CONSTANTS}");
                return Err(Error::SizeDependent { index, operation: name(0), path, what, detail });
            };
            if !same(&tensors)
                && let Some(ramp) = self.ramp(&ids(&tensors))
            {
                self.ramps.insert(tensors[0].id, ramp);
            }
            self.define(&tensors);
        }
        for position in 0..outputs[0].len() {
            let tensors: Vec<&TensorIr> = outputs.iter().filter_map(|tensors| tensors.get(position).copied()).collect();
            let (rank, dtype) = (tensors[0].shape.num_dims(), tensors[0].dtype);
            if let Some(trace) = tensors.iter().position(|t| t.shape.num_dims() != rank || t.dtype != dtype) {
                let shown = |t: &TensorIr| format!("{} of rank {} {:?}", name(0), t.shape.num_dims(), t.dtype);
                return Err(self.diverged(index, trace, path, &shown(tensors[0]), &shown(tensors[trace])));
            }
            self.define(&tensors);
        }
        Ok(AlignedOperation { operations, path, differing })
    }

    /// An output is one tensor in all traces, one constant, or a ramp that follows the sizes.
    fn output(&mut self, position: usize, ids: &[TensorId], end: usize) -> Result<()> {
        let first = ids[0];
        let other = |trace: usize, id: TensorId| self.mapped(trace, id) != first && !self.same_constant(first, id);
        let Some(trace) = ids.iter().enumerate().position(|(trace, id)| other(trace, *id)) else { return Ok(()) };
        if let Some(ramp) = self.ramp(ids) {
            self.shapes.insert(first, vec![ramp.length.clone()]);
            self.ramps.insert(first, ramp);
            return Ok(());
        }
        if ids.iter().all(|id| self.values.contains_key(id)) {
            return Err(Error::SizeDependent {
                index: end,
                operation: "the end".to_string(),
                path: String::new(),
                what: format!("the constant that is output {position}"),
                detail: CONSTANTS.to_string(),
            });
        }
        Err(self.diverged(end, trace, String::new(), "the end", "the end with other outputs"))
    }

    /// Where the number of operations grows with a size, a loop over the axis is what went wrong.
    fn blame_loop(&self, source: Error, traces: &[Trace]) -> Error {
        let counts: Vec<i64> = traces.iter().map(|trace| trace.operations.len() as i64).collect();
        let longer = counts.iter().position(|count| *count != counts[0]);
        let (Some(longer), Dim::Affine(_)) = (longer, self.samples.fit(&counts)) else { return source };
        let part = |trace: usize| format!("{} operations with {}", counts[trace], self.sizes[trace]);
        Error::LoopOverAxis { few: part(0), many: part(longer), source: Box::new(source) }
    }

    /// Records the symbolic shape of a tensor and its ids in the other traces.
    fn define(&mut self, tensors: &[&TensorIr]) {
        let id = tensors[0].id;
        for (trace, tensor) in tensors.iter().enumerate() {
            self.maps[trace].insert(tensor.id, id);
        }
        let samples = self.samples;
        self.shapes.entry(id).or_insert_with(|| {
            let rank = tensors[0].shape.num_dims();
            let at = |axis: usize| tensors.iter().map(|tensor| tensor.shape[axis] as i64).collect::<Vec<_>>();
            (0..rank).map(|axis| samples.fit(&at(axis))).collect()
        });
    }

    fn same_source(&self, trace: usize, first: &TensorIr, other: &TensorIr) -> bool {
        match self.maps[trace].get(&other.id) {
            Some(id) => *id == first.id,
            None => first.id == other.id || self.same_constant(first.id, other.id),
        }
    }

    fn same_constant(&self, first: TensorId, other: TensorId) -> bool {
        match (self.values.get(&first), self.values.get(&other)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        }
    }

    /// The ramp behind constants that differ between the traces.
    fn ramp(&self, ids: &[TensorId]) -> Option<Ramp> {
        let data: Option<Vec<&TensorData>> = ids.iter().map(|id| self.values.get(id)).collect();
        Ramp::of(self.samples, &data?)
    }

    fn mapped(&self, trace: usize, id: TensorId) -> TensorId {
        self.maps[trace].get(&id).copied().unwrap_or(id)
    }

    fn diverged(&self, index: usize, trace: usize, path: String, first: &str, second: &str) -> Error {
        let sizes = |trace: usize| self.sizes.get(trace).cloned().unwrap_or_default();
        Error::PathDependsOnSize(Box::new(Divergence {
            index,
            path,
            first: first.to_string(),
            first_sizes: sizes(0),
            second: second.to_string(),
            second_sizes: sizes(trace),
        }))
    }
}
