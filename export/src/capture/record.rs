//! Runs the module on the capture device, once for every planned set of sizes.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{CapturedGraph, Device, Tensor, TensorData};
use burn_ir::{OperationIr, TensorId, TensorIr};

use super::carry::Carry;
use super::linear::fold_linear;
use super::parameters::parameter_names;
use super::recurrent::fold_recurrent;
use crate::panics::contained;
use crate::shapes::Samples;
use crate::{DynTensor, Error, Result};

/// The forward function with its types erased.
pub(crate) type Forward<'a, M> = dyn Fn(&M, Vec<DynTensor>) -> Result<Vec<DynTensor>> + 'a;

/// What to record.
pub(crate) struct Plan {
    /// The inputs of every trace.
    pub inputs: Vec<Vec<TensorData>>,
    /// The sizes of the symbols in every trace.
    pub samples: Samples,
    /// The sizes as text, one a trace.
    pub sizes: Vec<String>,
}

/// The operations of one forward run.
pub(crate) struct Trace {
    pub operations: Vec<OperationIr>,
    pub inputs: Vec<TensorIr>,
    pub outputs: Vec<TensorId>,
}

/// All forward runs, which share one set of parameters.
pub(crate) struct Recording {
    pub traces: Vec<Trace>,
    pub values: BTreeMap<TensorId, TensorData>,
    pub parameters: BTreeMap<TensorId, String>,
    pub samples: Samples,
    pub sizes: Vec<String>,
}

struct Run {
    inputs: Vec<TensorIr>,
    outputs: Vec<TensorId>,
    end: TensorId,
}

/// Records `forward` as planned.
///
/// All runs happen inside one capture scope, so that the parameters are copied once and lazily drawn weights are drawn
/// once. Ids of tensors only grow, so a marker tensor after each run tells the runs apart.
///
/// # Errors
/// Modules on unsuitable devices and whatever Burn says while it records.
pub(crate) fn record<M: Module>(module: &M, plan: Plan, forward: &Forward<'_, M>) -> Result<Recording> {
    check_devices(module)?;
    let device = Device::capture();
    let mut parameters = BTreeMap::new();
    let mut runs: Result<Vec<Run>> = Ok(vec![]);
    let stage = std::cell::Cell::new(0);
    let captured = contained(|| {
        device.capture_scope(|scope| {
            // `valid` gives running states of their own: moving those of a clone would move the caller's too.
            let module = module.valid().map(&mut Carry(&device)).to_device(&device);
            parameters = parameter_names(&module);
            runs = plan
                .inputs
                .into_iter()
                .enumerate()
                .map(|(index, inputs)| {
                    stage.set(index);
                    run(&module, inputs, forward, &device)
                })
                .collect();
            scope.complete([], [])
        })
    });
    let failed = |message: String| {
        let sizes = plan.sizes.get(stage.get()).cloned().unwrap_or_default();
        match plan.sizes.first().filter(|_| stage.get() > 0).cloned() {
            Some(first) => Error::FixedAxis { first, sizes, message },
            None => Error::Capture { sizes, message },
        }
    };
    let graph = match captured {
        Err(panic) => return Err(failed(panic)),
        Ok(Err(error)) => return Err(failed(error.to_string())),
        Ok(Ok(graph)) => graph,
    };
    Ok(split(graph, runs?, parameters, plan.samples, plan.sizes))
}

fn run<M: Module>(module: &M, inputs: Vec<TensorData>, forward: &Forward<'_, M>, device: &Device) -> Result<Run> {
    let inputs: Vec<DynTensor> =
        inputs.into_iter().map(|data| DynTensor::from_data(data, device)).collect::<Result<_>>()?;
    let described = inputs.iter().map(DynTensor::capture_ir).collect::<Result<_>>()?;
    let outputs = forward(module, inputs)?;
    let outputs = outputs.iter().map(DynTensor::capture_id).collect::<Result<_>>()?;
    let end = DynTensor::from(Tensor::<1>::from_data([0.0f32], device)).capture_id()?;
    Ok(Run { inputs: described, outputs, end })
}

fn split(
    graph: CapturedGraph,
    runs: Vec<Run>,
    parameters: BTreeMap<TensorId, String>,
    samples: Samples,
    sizes: Vec<String>,
) -> Recording {
    let mut operations = graph.graph.operations.into_iter().peekable();
    let mut traces = Vec::with_capacity(runs.len());
    for run in runs {
        let mut trace = Trace { operations: vec![], inputs: run.inputs, outputs: run.outputs };
        while let Some(operation) = operations.next_if(|op| op.outputs().next().is_none_or(|out| out.id <= run.end)) {
            if !matches!(operation, OperationIr::Init(_) | OperationIr::Drop(_)) {
                trace.operations.push(operation);
            }
        }
        trace.operations = fold_linear(trace.operations, &trace.outputs);
        trace.operations = fold_recurrent(trace.operations, &trace.outputs);
        traces.push(trace);
    }
    Recording { traces, values: graph.values, parameters, samples, sizes }
}

fn check_devices<M: Module>(module: &M) -> Result<()> {
    let devices = module.devices();
    if devices.iter().any(Device::is_autodiff) {
        return Err(Error::Autodiff);
    }
    if devices.len() > 1 {
        return Err(Error::SeveralDevices(devices.iter().map(|device| format!("{device:?}")).collect()));
    }
    Ok(())
}
