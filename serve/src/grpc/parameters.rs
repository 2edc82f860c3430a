//! The parameters of requests and outputs that mean something here.

use super::proto::inference::InferParameter;
use super::proto::inference::infer_parameter::ParameterChoice;
use crate::Error;
use std::collections::HashMap;

/// The whole number of this name, if it is there.
///
/// # Errors
/// [`Error::Invalid`] when it is something else or negative.
pub fn whole(parameters: &HashMap<String, InferParameter>, name: &str) -> Result<Option<u64>, Error> {
    let Some(parameter) = parameters.get(name) else { return Ok(None) };
    let value = match parameter.parameter_choice {
        Some(ParameterChoice::Int64Param(value)) => u64::try_from(value).ok(),
        Some(ParameterChoice::Uint64Param(value)) => Some(value),
        _ => None,
    };
    let wrong =
        || Error::invalid("parameters", format!("{name} must be a whole number, in int64_param or uint64_param"));
    value.map(Some).ok_or_else(wrong)
}
