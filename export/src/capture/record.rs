//! Runs the module on the capture device, once for every planned set of sizes.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{CapturedGraph, DType, Device, FloatDType, IntDType, Tensor, TensorData};
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
    /// Shapes and types of the inputs of every trace.
    pub inputs: Vec<Vec<(Vec<usize>, DType)>>,
    /// The device of the first example, if there is one.
    pub example: Option<Device>,
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
/// Integers that the module makes are 64-bit ones on the capture device, as ONNX has most of its own. A module that mixes
/// them with others runs with the types that its device makes.
///
/// # Errors
/// Modules on unsuitable devices and whatever Burn says while it records.
pub(crate) fn record<M: Module>(module: &M, plan: &Plan, forward: &Forward<'_, M>) -> Result<Recording> {
    check_devices(module)?;
    let device = Device::capture();
    let made = types(&device);
    let own = module.devices().into_iter().next().or_else(|| plan.example.clone()).map(|device| types(&device));
    match (record_on(&device, None, module, plan, forward), own) {
        (Err(Error::Capture { .. }), Some(own)) if own != made => {
            record_on(&Device::capture(), Some(own), module, plan, forward)
        }
        (found, _) => found,
    }
}

/// The types of the numbers that a device makes unless others are asked for.
type Types = (FloatDType, IntDType);

fn types(device: &Device) -> Types {
    let settings = device.settings();
    (settings.float_dtype, settings.int_dtype)
}

/// All runs happen inside one capture scope, so that the parameters are copied once and lazily drawn weights are drawn
/// once. Ids of tensors only grow, so a marker tensor after each run tells the runs apart.
fn record_on<M: Module>(
    device: &Device,
    types: Option<Types>,
    module: &M,
    plan: &Plan,
    forward: &Forward<'_, M>,
) -> Result<Recording> {
    let mut parameters = BTreeMap::new();
    let mut runs: Result<Vec<Run>> = Ok(vec![]);
    let stage = std::cell::Cell::new(0);
    let captured = contained(|| {
        device.capture_scope(|scope| {
            if let Some(Err(error)) = types.map(|types| device.clone().configure(types)) {
                runs = Err(Error::Request(format!("the types of the device of the module: {error:?}")));
                return scope.complete([], []);
            }
            // `valid` gives running states of their own: moving those of a clone would move the caller's too.
            let mut carry = Carry::to(device);
            let module = module.valid().map(&mut carry);
            if let Some(weight) = carry.quantised {
                runs = Err(Error::Quantised(weight));
                return scope.complete([], []);
            }
            let module = module.to_device(device);
            parameters = parameter_names(&module);
            let inputs = plan.inputs.iter().enumerate();
            let inputs = inputs.inspect(|(index, _)| stage.set(*index));
            runs = inputs.map(|(_, inputs)| run(&module, inputs, forward, device)).collect();
            scope.complete([], [])
        })
    });
    let failed = |message: String| {
        let sizes = plan.sizes.get(stage.get()).cloned().unwrap_or_default();
        match plan.sizes.first().filter(|_| stage.get() > 0).cloned() {
            _ if message.contains(UNKNOWN_NUMBERS) => Error::ReadsNumbers,
            Some(first) => Error::FixedAxis { first, sizes, message },
            None => Error::Capture { sizes, message },
        }
    };
    let graph = match captured {
        Err(panic) => return Err(failed(panic)),
        Ok(Err(error)) => return Err(failed(error.to_string())),
        Ok(Ok(graph)) => graph,
    };
    Ok(split(graph, runs?, parameters, plan.samples.clone(), plan.sizes.clone()))
}

/// What the capture device says when it is asked for the numbers of a tensor that depends on an input.
const UNKNOWN_NUMBERS: &str = "has no concrete value";

fn run<M: Module>(
    module: &M,
    inputs: &[(Vec<usize>, DType)],
    forward: &Forward<'_, M>,
    device: &Device,
) -> Result<Run> {
    let inputs: Vec<DynTensor> =
        inputs.iter().map(|(dims, dtype)| DynTensor::blank(dims, *dtype, device)).collect::<Result<_>>()?;
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
            let is_input = operation.outputs().any(|out| trace.inputs.iter().any(|input| input.id == out.id));
            if !is_input && !matches!(operation, OperationIr::Init(_) | OperationIr::Drop(_)) {
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
