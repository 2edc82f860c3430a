//! ONNX Runtime, loaded from its shared library.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use burn::tensor::{BoolStore, DType, TensorData, bf16, f16};
use ort::environment::Environment;
use ort::session::SessionInputValue;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::value::{DynValue, Tensor, TensorElementType, ValueType};

use super::{Runner, Session};
use crate::{Error, Result};

/// The one environment of the process: ONNX Runtime allows no second one, nor another library.
static ENVIRONMENT: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

/// Runs models with ONNX Runtime on the CPU.
#[derive(Clone)]
pub struct OnnxRuntime {
    environment: Environment,
    optimizes: bool,
}

impl OnnxRuntime {
    /// Loads the shared library (`libonnxruntime.so`, `onnxruntime.dll`, ...) with telemetry off.
    ///
    /// # Errors
    /// The library does not load, or the process already uses another one.
    pub fn new(library: impl AsRef<Path>) -> Result<Self> {
        let library = library.as_ref();
        let mut slot = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, environment)) = slot.as_ref() {
            if known == library {
                return Ok(Self::with_environment(environment.clone()));
            }
            let message = format!("the process already uses {}", known.display());
            return Err(Error::Runner { runner: "onnxruntime", action: "loading the library", message });
        }
        let builder = ort::init_from(library).map_err(|e| failed("loading the library", e))?;
        let environment = builder.with_telemetry(false).build().map_err(|e| failed("starting", e))?;
        *slot = Some((library.to_path_buf(), environment.clone()));
        Ok(Self::with_environment(environment))
    }

    /// Uses an environment that another part of the process has made, for there can be only one.
    pub fn with_environment(environment: Environment) -> Self {
        Self { environment, optimizes: true }
    }

    /// The same runtime without optimisations of its own, which runs the nodes of a file as they stand.
    pub fn without_optimizer(self) -> Self {
        Self { optimizes: false, ..self }
    }

    /// Loads the library named by the variable `ORT_DYLIB_PATH`; `None` when it is not set.
    ///
    /// # Errors
    /// The library does not load.
    pub fn from_env() -> Result<Option<Self>> {
        std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()).map(Self::new).transpose()
    }
}

impl Runner for OnnxRuntime {
    fn name(&self) -> &'static str {
        "onnxruntime"
    }

    fn load(&self, model: &[u8]) -> Result<Box<dyn Session>> {
        let session = self.builder()?.commit_from_memory(model).map_err(|e| failed("loading", e))?;
        Ok(Box::new(OrtSession { session }))
    }

    fn load_file(&self, path: &Path) -> Result<Box<dyn Session>> {
        let session = self.builder()?.commit_from_file(path).map_err(|e| failed("loading", e))?;
        Ok(Box::new(OrtSession { session }))
    }
}

impl OnnxRuntime {
    fn builder(&self) -> Result<SessionBuilder> {
        let builder = ort::session::Session::builder(&self.environment).map_err(|e| failed("starting", e))?;
        if self.optimizes {
            return Ok(builder);
        }
        builder.with_optimization_level(GraphOptimizationLevel::Disable).map_err(|e| failed("starting", e))
    }
}

struct OrtSession {
    session: ort::session::Session,
}

impl Session for OrtSession {
    fn run(&mut self, inputs: &[TensorData]) -> Result<Vec<(String, TensorData)>> {
        let inputs: Vec<SessionInputValue<'_>> =
            inputs.iter().map(|data| Ok(SessionInputValue::from(to_ort(data)?))).collect::<Result<_>>()?;
        let outputs = self.session.run(inputs.as_slice()).map_err(|e| failed("running", e))?;
        outputs.iter().map(|(name, value)| Ok((name.to_string(), from_ort(&value)?))).collect()
    }
}

fn failed(action: &'static str, error: impl std::fmt::Display) -> Error {
    Error::Runner { runner: "onnxruntime", action, message: error.to_string() }
}

fn to_ort(data: &TensorData) -> Result<DynValue> {
    let dims: Vec<i64> = data.shape().to_vec().into_iter().map(|size| size as i64).collect();
    macro_rules! tensor {
        ($element:ty) => {
            Tensor::from_array((dims, data.iter::<$element>().collect::<Vec<_>>())).map(|t| t.into_dyn())
        };
    }
    let value = match data.dtype() {
        DType::F32 | DType::Flex32 => tensor!(f32),
        DType::F64 => tensor!(f64),
        DType::F16 => tensor!(f16),
        DType::BF16 => tensor!(bf16),
        DType::I64 => tensor!(i64),
        DType::I32 => tensor!(i32),
        DType::I16 => tensor!(i16),
        DType::I8 => tensor!(i8),
        DType::U64 => tensor!(u64),
        DType::U32 => tensor!(u32),
        DType::U16 => tensor!(u16),
        DType::U8 => tensor!(u8),
        DType::Bool(_) => tensor!(bool),
        other => return Err(Error::UnsupportedElementType(format!("{other:?} in ONNX Runtime"))),
    };
    value.map_err(|e| failed("feeding", e))
}

fn from_ort(value: &DynValue) -> Result<TensorData> {
    macro_rules! tensor {
        ($element:ty) => {{
            let (shape, values) = value.try_extract_tensor::<$element>().map_err(|e| failed("reading", e))?;
            let dims: Vec<usize> = shape.iter().map(|size| *size as usize).collect();
            TensorData::new(values.to_vec(), dims)
        }};
    }
    let ValueType::Tensor { ty, .. } = value.dtype() else {
        return Err(failed("reading", "an output is no tensor"));
    };
    Ok(match ty {
        TensorElementType::Float32 => tensor!(f32),
        TensorElementType::Float64 => tensor!(f64),
        TensorElementType::Float16 => tensor!(f16),
        TensorElementType::Bfloat16 => tensor!(bf16),
        TensorElementType::Int64 => tensor!(i64),
        TensorElementType::Int32 => tensor!(i32),
        TensorElementType::Int16 => tensor!(i16),
        TensorElementType::Int8 => tensor!(i8),
        TensorElementType::Uint64 => tensor!(u64),
        TensorElementType::Uint32 => tensor!(u32),
        TensorElementType::Uint16 => tensor!(u16),
        TensorElementType::Uint8 => tensor!(u8),
        TensorElementType::Bool => tensor!(bool).convert_dtype(DType::Bool(BoolStore::Native)),
        other => return Err(Error::UnsupportedElementType(format!("{other:?} of ONNX Runtime"))),
    })
}
