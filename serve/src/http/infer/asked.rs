//! What a request asks: its JSON, and the tensors behind it, checked against the model.

use super::body::Body;
use super::input::Input;
use super::output::{self, Given, Wanted};
use crate::Error;
use crate::engine::Served;
use crate::http::{body, null};
use crate::protocol::{self, Tensor};
use serde::Deserialize;

/// What a request asks.
pub struct Asked {
    /// The client's name of the request, which comes back.
    pub id: Option<String>,
    /// Longest time to wait for the runtime, in microseconds; 0 for no limit.
    pub timeout_us: Option<u64>,
    /// Who goes first, 1 for the highest; 0 says nothing.
    pub priority: Option<u64>,
    /// The outputs that are wanted.
    pub outputs: Vec<Given>,
    /// What the model is asked about.
    pub tensor: Tensor,
}

/// The JSON part of a request.
#[derive(Deserialize)]
#[serde(expecting = "an object with inputs")]
struct Request {
    id: Option<String>,
    #[serde(default, deserialize_with = "null::or_default")]
    parameters: Parameters,
    inputs: Vec<Input>,
    #[serde(default, deserialize_with = "null::or_default")]
    outputs: Vec<Wanted>,
}

#[derive(Default, Deserialize)]
#[serde(expecting = "an object of parameters")]
struct Parameters {
    /// Whether outputs come raw unless they say otherwise.
    #[serde(default, deserialize_with = "null::or_default")]
    binary_data_output: bool,
    timeout: Option<u64>,
    priority: Option<u64>,
}

impl Asked {
    /// Understands a body.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what the model does not take or give, [`Error::Image`] for BYTES that are no base64.
    pub fn of(served: &Served, body: Body) -> Result<Self, Error> {
        match body {
            Body::Json { json, tensors } => {
                let request: Request = body::json_with_tensors(&json)?;
                let outputs = output::choose(served, request.outputs, request.parameters.binary_data_output)?;
                let tensor = protocol::only(served, request.inputs)?;
                let tensor = tensor.with(tensors, served.max_request_items)?.tensor(served)?;
                let Parameters { timeout, priority, .. } = request.parameters;
                Ok(Self { id: request.id, timeout_us: timeout, priority, outputs, tensor })
            }
            Body::Raw { tensor, is_image } => {
                let outputs = output::choose(served, Vec::new(), true)?;
                let tensor = Tensor::raw(served, tensor, is_image)?;
                Ok(Self { id: None, timeout_us: None, priority: None, outputs, tensor })
            }
        }
    }
}
