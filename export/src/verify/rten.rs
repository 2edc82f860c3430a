//! The rten runtime: pure Rust, always present. Its integers and booleans are 32-bit integers, its floats f32.

use std::path::Path;

use burn::tensor::{DType, TensorData};
use rten::{Model, Value, ValueOrView};
use rten_tensor::Tensor;
use rten_tensor::prelude::*;

use super::{Runner, Session};
use crate::{Error, Result};

/// Runs models with rten.
#[derive(Clone, Copy, Debug, Default)]
pub struct RtenRunner;

impl Runner for RtenRunner {
    fn name(&self) -> &'static str {
        "rten"
    }

    fn load(&self, model: &[u8]) -> Result<Box<dyn Session>> {
        let model = Model::load(model.to_vec()).map_err(|e| failed("loading", e))?;
        Ok(Box::new(RtenSession { model }))
    }

    fn load_file(&self, path: &Path) -> Result<Box<dyn Session>> {
        let model = Model::load_file(path).map_err(|e| failed("loading", e))?;
        Ok(Box::new(RtenSession { model }))
    }
}

struct RtenSession {
    model: Model,
}

impl Session for RtenSession {
    fn run(&mut self, inputs: &[TensorData]) -> Result<Vec<(String, TensorData)>> {
        let (ids, names) = (self.model.input_ids(), self.model.output_ids());
        if ids.len() != inputs.len() {
            return Err(failed("feeding", format!("{} inputs where it takes {}", inputs.len(), ids.len())));
        }
        let inputs = ids.iter().zip(inputs).map(|(id, data)| Ok((*id, to_rten(data)?))).collect::<Result<_>>()?;
        let outputs = self.model.run(inputs, names, None).map_err(|e| failed("running", e))?;
        let name = |id| self.model.node_info(id).and_then(|node| node.name()).unwrap_or_default().to_string();
        names.iter().zip(&outputs).map(|(id, value)| Ok((name(*id), from_rten(value)?))).collect()
    }
}

fn failed(action: &'static str, error: impl std::fmt::Display) -> Error {
    Error::Runner { runner: "rten", action, message: error.to_string() }
}

fn to_rten(data: &TensorData) -> Result<ValueOrView<'static>> {
    let shape = data.shape().to_vec();
    macro_rules! tensor {
        ($element:ty) => {
            Tensor::from_data(&shape, data.iter::<$element>().collect::<Vec<_>>()).into()
        };
    }
    Ok(match data.dtype() {
        DType::F32 | DType::Flex32 => tensor!(f32),
        DType::I32 | DType::I64 | DType::Bool(_) => tensor!(i32),
        DType::I8 => tensor!(i8),
        DType::U8 => tensor!(u8),
        other => return Err(Error::UnsupportedElementType(format!("{other:?} in rten"))),
    })
}

fn from_rten(value: &Value) -> Result<TensorData> {
    macro_rules! tensor {
        ($tensor:expr) => {
            TensorData::new($tensor.to_vec(), $tensor.shape().to_vec())
        };
    }
    Ok(match value {
        Value::FloatTensor(tensor) => tensor!(tensor),
        Value::Int32Tensor(tensor) => tensor!(tensor),
        Value::Int8Tensor(tensor) => tensor!(tensor),
        Value::UInt8Tensor(tensor) => tensor!(tensor),
        _ => return Err(failed("reading", "an output is no tensor")),
    })
}
