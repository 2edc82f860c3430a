//! The tract runtime: pure Rust, always present.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::{BoolStore, DType, TensorData};
use tract_onnx::prelude::{
    DatumType, Framework, InferenceFact, InferenceModel, InferenceModelExt, IntoRunnable, TValue, Tensor, TypedModel,
    TypedRunnableModel,
};

use super::{Runner, Session};
use crate::panics::contained;
use crate::{Error, Result};

/// Runs models with tract, optimised for the concrete shapes of the inputs.
#[derive(Clone, Copy, Debug, Default)]
pub struct TractRunner;

impl Runner for TractRunner {
    fn name(&self) -> &'static str {
        "tract"
    }

    fn load(&self, model: &[u8]) -> Result<Box<dyn Session>> {
        let model = attempt("loading", || tract_onnx::onnx().model_for_read(&mut Cursor::new(model)))?;
        Ok(Box::new(TractSession { model, plans: BTreeMap::new() }))
    }

    fn load_file(&self, path: &Path) -> Result<Box<dyn Session>> {
        let model = attempt("loading", || tract_onnx::onnx().model_for_path(path))?;
        Ok(Box::new(TractSession { model, plans: BTreeMap::new() }))
    }
}

struct TractSession {
    model: InferenceModel,
    plans: BTreeMap<Vec<Vec<usize>>, Arc<TypedRunnableModel>>,
}

impl Session for TractSession {
    fn run(&mut self, inputs: &[TensorData]) -> Result<Vec<(String, TensorData)>> {
        let shapes: Vec<Vec<usize>> = inputs.iter().map(|data| data.shape().to_vec()).collect();
        let plan = match self.plans.get(&shapes) {
            Some(plan) => plan.clone(),
            None => {
                let plan = self.plan(inputs)?;
                self.plans.insert(shapes, plan.clone());
                plan
            }
        };
        let tensors = inputs.iter().map(|data| Ok(TValue::from(to_tract(data)?))).collect::<Result<_>>()?;
        let outputs = attempt("running", || plan.run(tensors))?;
        let names = self.model.outputs.iter().map(|outlet| {
            let label = self.model.outlet_label(*outlet).map(str::to_string);
            label.unwrap_or_else(|| self.model.nodes[outlet.node].name.clone())
        });
        names.zip(outputs.iter()).map(|(name, value)| Ok((name, from_tract(value)?))).collect()
    }
}

impl TractSession {
    fn plan(&self, inputs: &[TensorData]) -> Result<Arc<TypedRunnableModel>> {
        let mut model = self.model.clone();
        for (index, data) in inputs.iter().enumerate() {
            let fact = InferenceFact::dt_shape(datum_type(data.dtype())?, data.shape().to_vec());
            model.set_input_fact(index, fact).map_err(|e| failed("loading", e))?;
        }
        let model: TypedModel = attempt("optimising", || model.into_optimized())?;
        attempt("planning", || model.into_runnable())
    }
}

/// tract panics where it lacks a kernel, such as for products of 64-bit integers: an error, as everywhere else.
fn attempt<T, E: std::fmt::Display>(action: &'static str, work: impl FnOnce() -> Result<T, E>) -> Result<T> {
    contained(work).map_err(|panic| failed(action, panic))?.map_err(|error| failed(action, error))
}

/// The alternate form holds the whole chain of causes, without a backtrace.
fn failed(action: &'static str, error: impl std::fmt::Display) -> Error {
    Error::Runner { runner: "tract", action, message: format!("{error:#}") }
}

const TYPES: [(DType, DatumType); 13] = [
    (DType::F32, DatumType::F32),
    (DType::F64, DatumType::F64),
    (DType::F16, DatumType::F16),
    (DType::I64, DatumType::I64),
    (DType::I32, DatumType::I32),
    (DType::I16, DatumType::I16),
    (DType::I8, DatumType::I8),
    (DType::U64, DatumType::U64),
    (DType::U32, DatumType::U32),
    (DType::U16, DatumType::U16),
    (DType::U8, DatumType::U8),
    (DType::Bool(BoolStore::Native), DatumType::Bool),
    (DType::Bool(BoolStore::U8), DatumType::Bool),
];

fn datum_type(dtype: DType) -> Result<DatumType> {
    let found = TYPES.iter().find(|(burn, _)| *burn == dtype).map(|(_, tract)| *tract);
    found.ok_or_else(|| Error::UnsupportedElementType(format!("{dtype:?} in tract")))
}

fn to_tract(data: &TensorData) -> Result<Tensor> {
    let dtype = datum_type(data.dtype())?;
    let mut tensor = Tensor::zero_dt(dtype, &data.shape().to_vec()).map_err(|e| failed("feeding", e))?;
    tensor.as_bytes_mut().copy_from_slice(data.as_bytes());
    Ok(tensor)
}

fn from_tract(tensor: &Tensor) -> Result<TensorData> {
    let tensor = tensor.cast_to_dt(plain(tensor.datum_type())).map_err(|e| failed("reading", e))?;
    let dtype = TYPES.iter().find(|(_, tract)| *tract == tensor.datum_type()).map(|(burn, _)| *burn);
    let dtype = dtype.ok_or_else(|| Error::UnsupportedElementType(format!("{:?} of tract", tensor.datum_type())))?;
    Ok(TensorData::from_bytes_vec(tensor.as_bytes().to_vec(), tensor.shape().to_vec(), dtype))
}

/// tract keeps sizes in a type of its own.
fn plain(dtype: DatumType) -> DatumType {
    if dtype == DatumType::TDim { DatumType::I64 } else { dtype }
}
