//! The response: outputs in JSON or raw behind it.
//!
//! # Source
//! Triton's binary tensor data extension.

use super::body::JSON_LENGTH;
use crate::Error;
use crate::engine::{Answers, Served};
use crate::http::null;
use crate::protocol::{self, Choice, Values};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::{Deserialize, Serialize};

/// An output that a request asks for.
#[derive(Deserialize)]
#[serde(expecting = "an output: an object with name")]
pub struct Wanted {
    name: String,
    #[serde(default, deserialize_with = "null::or_default")]
    parameters: WantedParameters,
}

#[derive(Default, Deserialize)]
#[serde(expecting = "an object of parameters")]
struct WantedParameters {
    binary_data: Option<bool>,
    classification: Option<usize>,
}

/// An output that is given.
pub struct Given {
    choice: Choice,
    /// Whether it comes raw.
    is_raw: bool,
}

#[derive(Serialize)]
struct Response<'a> {
    model_name: &'a str,
    model_version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    outputs: Vec<Output<'a>>,
}

#[derive(Serialize)]
struct Output<'a> {
    name: &'a str,
    datatype: &'static str,
    shape: [usize; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Parameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Values>,
}

#[derive(Serialize)]
struct Parameters {
    binary_data_size: usize,
}

/// The outputs that are given, see [`protocol::choose`].
///
/// # Errors
/// Those of [`protocol::choose`].
pub fn choose(served: &Served, wanted: Vec<Wanted>, raw_by_default: bool) -> Result<Vec<Given>, Error> {
    let is_raw: Vec<Option<bool>> = wanted.iter().map(|output| output.parameters.binary_data).collect();
    let wanted: Vec<protocol::Wanted> = wanted.into_iter().map(Wanted::without_form).collect();
    let choices = protocol::choose(served, &wanted)?.into_iter();
    let is_raw = is_raw.into_iter().chain(std::iter::repeat(None)).map(|is_raw| is_raw.unwrap_or(raw_by_default));
    Ok(choices.zip(is_raw).map(|(choice, is_raw)| Given { choice, is_raw }).collect())
}

/// Writes the response, with the raw outputs behind the JSON in the order in which it names them.
///
/// # Errors
/// [`Error::Server`] when the JSON cannot be written.
pub fn write(
    served: &Served,
    id: Option<String>,
    outputs: &[Given],
    answers: &Answers,
    http: &mut HttpResponseBuilder,
) -> Result<HttpResponse, Error> {
    let mut raw = Vec::new();
    let given = outputs.iter().map(|output| output.write(served, answers, &mut raw)).collect();
    let response = Response { model_name: &served.name, model_version: served.version.to_string(), id, outputs: given };
    if !outputs.iter().any(|output| output.is_raw) {
        return Ok(http.json(response));
    }
    let mut body = serde_json::to_vec(&response)
        .map_err(|error| Error::Server { reason: format!("a response cannot be written: {error}") })?;
    http.insert_header((JSON_LENGTH, body.len()));
    body.append(&mut raw);
    Ok(http.content_type("application/octet-stream").body(body))
}

impl Wanted {
    fn without_form(self) -> protocol::Wanted {
        protocol::Wanted { name: self.name, classes: self.parameters.classification }
    }
}

impl Given {
    /// The output as JSON shows it; raw elements go to the end of `raw`.
    fn write<'a>(&self, served: &'a Served, answers: &Answers, raw: &mut Vec<u8>) -> Output<'a> {
        let protocol::Output { name, datatype, shape, values } = self.choice.output(served, answers);
        if !self.is_raw {
            return Output { name, datatype, shape, parameters: None, data: Some(values) };
        }
        let before = raw.len();
        values.append_to(raw);
        let parameters = Some(Parameters { binary_data_size: raw.len() - before });
        Output { name, datatype, shape, parameters, data: None }
    }
}
