//! The outputs of a response: all of the model or those that were asked for, as numbers or as the best classes, in JSON or
//! raw behind it.
//!
//! # Source
//! Triton's binary tensor data extension and its classification extension: an output with `"classification": K` becomes BYTES of
//! shape `[batch, K]`, each element `value:index` or `value:index:label`, the highest value first.

use super::body::JSON_LENGTH;
use crate::Error;
use crate::engine::{Answers, Served};
use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};

/// An output that a request asks for.
#[derive(Deserialize)]
pub struct Wanted {
    name: String,
    #[serde(default)]
    parameters: WantedParameters,
}

#[derive(Default, Deserialize)]
struct WantedParameters {
    binary_data: Option<bool>,
    classification: Option<usize>,
}

/// How one output of the model is given.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// Its place among the model's outputs.
    index: usize,
    /// Whether it comes raw.
    is_raw: bool,
    /// Number of best classes that are given in place of the numbers.
    classes: Option<usize>,
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
    data: Option<Data>,
}

#[derive(Serialize)]
struct Parameters {
    binary_data_size: usize,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data {
    Floats(Vec<f32>),
    Texts(Vec<String>),
}

/// The outputs that are given: all, in the model's order, when none was asked for.
///
/// # Errors
/// [`Error::Invalid`] for an unknown output or a classification of nothing.
pub fn choose(served: &Served, wanted: &[Wanted], raw_by_default: bool) -> Result<Vec<Choice>, Error> {
    let names = served.model.file.output_names();
    if wanted.is_empty() {
        return Ok((0..names.len()).map(|index| Choice { index, is_raw: raw_by_default, classes: None }).collect());
    }
    let choice = |output: &Wanted| {
        let wrong = |reason: String| Error::invalid("outputs", reason);
        let index = names.iter().position(|name| *name == output.name);
        let index =
            index.ok_or_else(|| wrong(format!("output \"{}\" is unknown; there are {names:?}", output.name)))?;
        let classes = output.parameters.classification;
        if classes == Some(0) {
            return Err(wrong(format!("output \"{}\": classification is 0; it must be at least 1", output.name)));
        }
        Ok(Choice { index, is_raw: output.parameters.binary_data.unwrap_or(raw_by_default), classes })
    };
    wanted.iter().map(choice).collect()
}

/// The response, with the raw outputs behind the JSON in the order in which it names them.
///
/// # Errors
/// [`Error::Server`] when the JSON cannot be written.
pub fn response(
    served: &Served,
    id: Option<String>,
    choices: &[Choice],
    answers: &Answers,
) -> Result<HttpResponse, Error> {
    let mut raw = Vec::new();
    let outputs = choices.iter().map(|choice| choice.output(served, answers, &mut raw)).collect();
    let response = Response { model_name: &served.name, model_version: served.version.to_string(), id, outputs };
    let mut http = HttpResponse::Ok();
    http.insert_header(("server-timing", answers.timing.header()));
    if !choices.iter().any(|choice| choice.is_raw) {
        return Ok(http.json(response));
    }
    let mut body = serde_json::to_vec(&response)
        .map_err(|error| Error::Server { reason: format!("a response cannot be written: {error}") })?;
    http.insert_header((JSON_LENGTH, body.len()));
    body.append(&mut raw);
    Ok(http.content_type("application/octet-stream").body(body))
}

impl Choice {
    /// The output as JSON shows it; raw data goes to the end of `raw`.
    fn output<'a>(&self, served: &'a Served, answers: &Answers, raw: &mut Vec<u8>) -> Output<'a> {
        let file = &served.model.file;
        let width = file.output_widths()[self.index];
        let rows = answers.rows.iter().map(|row| row.outputs[self.index].as_slice());
        let (datatype, width, data) = match self.classes {
            None => ("FP32", width, Data::Floats(rows.flatten().copied().collect())),
            Some(count) => {
                let count = count.min(width);
                let labels = self.labels(served);
                ("BYTES", count, Data::Texts(rows.flat_map(|row| classes(row, count, labels)).collect()))
            }
        };
        let before = raw.len();
        let data = if self.is_raw {
            data.append_to(raw);
            None
        } else {
            Some(data)
        };
        let parameters = self.is_raw.then(|| Parameters { binary_data_size: raw.len() - before });
        Output { name: file.output_names()[self.index], datatype, shape: [answers.rows.len(), width], parameters, data }
    }

    /// Names of the classes, where the output is that of the class scores.
    fn labels<'a>(&self, served: &'a Served) -> Option<&'a [String]> {
        let scores = served.model.card().outputs.logits.as_ref().map(|output| output.name.as_str());
        let name = served.model.file.output_names()[self.index];
        served.model.labels().filter(|_| scores == Some(name))
    }
}

impl Data {
    /// Little-endian floats, or each text after its length.
    fn append_to(&self, raw: &mut Vec<u8>) {
        match self {
            Self::Floats(values) => raw.extend(values.iter().flat_map(|value| value.to_le_bytes())),
            Self::Texts(texts) => {
                for text in texts {
                    raw.extend((text.len() as u32).to_le_bytes());
                    raw.extend(text.as_bytes());
                }
            }
        }
    }
}

/// The `count` highest values of a row as the extension writes them; of equal ones the lower index first.
fn classes(row: &[f32], count: usize, labels: Option<&[String]>) -> Vec<String> {
    let mut order: Vec<usize> = (0..row.len()).collect();
    order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
    let text = |index: usize| match labels.and_then(|labels| labels.get(index)) {
        Some(label) => format!("{:.6}:{index}:{label}", row[index]),
        None => format!("{:.6}:{index}", row[index]),
    };
    order.into_iter().take(count).map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_written_as_the_extension_says() {
        let labels = ["cat", "dog", "eel"].map(str::to_owned);
        assert_eq!(classes(&[0.5, 2.0, 0.5], 2, Some(&labels)), ["2.000000:1:dog", "0.500000:0:cat"]);
        assert_eq!(classes(&[-1.0, 3.25], 9, None), ["3.250000:1", "-1.000000:0"]);
    }

    #[test]
    fn raw_data_is_little_endian_and_texts_carry_their_length() {
        let mut raw = Vec::new();
        Data::Floats(vec![1.0]).append_to(&mut raw);
        Data::Texts(vec!["ab".into(), String::new()]).append_to(&mut raw);
        assert_eq!(raw, [0, 0, 128, 63, 2, 0, 0, 0, b'a', b'b', 0, 0, 0, 0]);
    }
}
