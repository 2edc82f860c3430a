//! The outputs of a response: all of the model or those that were asked for, as numbers or as the best classes.
//!
//! # Source
//! Triton's classification extension: an output with `"classification": K` becomes BYTES of shape `[batch, K]`, each element
//! `value:index` or `value:index:label`, the highest value first.

use crate::Error;
use crate::engine::{Answers, Served};
use crate::model::row::ranked;
use serde::Serialize;

/// An output that a request asks for.
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// Number of best classes that are wanted in place of the numbers.
    pub classes: Option<usize>,
}

/// How one output of the model is given.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// Its place among the model's outputs.
    index: usize,
    /// Number of best classes that are given in place of the numbers.
    classes: Option<usize>,
}

/// One output of a response.
pub struct Output<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type, in the protocol's words.
    pub datatype: &'static str,
    /// Its shape.
    pub shape: [usize; 2],
    /// Its elements.
    pub values: Values,
}

/// The elements of an output.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Values {
    /// FP32.
    Floats(Vec<f32>),
    /// BYTES.
    Texts(Vec<String>),
}

/// The outputs that are given: all, in the model's order, when none was asked for.
///
/// # Errors
/// [`Error::Invalid`] for an unknown output, one that is asked for twice, or a classification of nothing.
pub fn choose(served: &Served, wanted: &[Wanted]) -> Result<Vec<Choice>, Error> {
    let names = served.model.file.output_names();
    if wanted.is_empty() {
        return Ok((0..names.len()).map(|index| Choice { index, classes: None }).collect());
    }
    let wrong = |reason: String| Error::invalid("outputs", reason);
    let mut given = vec![false; names.len()];
    let choice = |output: &Wanted| {
        let index = names.iter().position(|name| *name == output.name);
        let index =
            index.ok_or_else(|| wrong(format!("output \"{}\" is unknown; there are {names:?}", output.name)))?;
        if std::mem::replace(&mut given[index], true) {
            return Err(wrong(format!("output \"{}\" is asked for twice", output.name)));
        }
        if output.classes == Some(0) {
            return Err(wrong(format!("output \"{}\": classification is 0; it must be at least 1", output.name)));
        }
        Ok(Choice { index, classes: output.classes })
    };
    wanted.iter().map(choice).collect()
}

impl Choice {
    /// The output of these answers.
    pub fn output<'a>(&self, served: &'a Served, answers: &Answers) -> Output<'a> {
        let file = &served.model.file;
        let width = file.output_widths()[self.index];
        let rows = answers.rows.iter().map(|row| row.outputs[self.index].as_slice());
        let (datatype, width, values) = match self.classes {
            None => ("FP32", width, Values::Floats(rows.flatten().copied().collect())),
            Some(count) => {
                let count = count.min(width);
                let labels = self.labels(served);
                ("BYTES", count, Values::Texts(rows.flat_map(|row| classes(row, count, labels)).collect()))
            }
        };
        Output { name: file.output_names()[self.index], datatype, shape: [answers.rows.len(), width], values }
    }

    /// Names of the classes, where the output is that of the class scores.
    fn labels<'a>(&self, served: &'a Served) -> Option<&'a [String]> {
        let scores = served.model.card().outputs.logits.as_ref().map(|output| output.name.as_str());
        let name = served.model.file.output_names()[self.index];
        served.model.labels().filter(|_| scores == Some(name))
    }
}

impl Values {
    /// Adds the elements: little-endian floats, or each text after its length.
    pub fn append_to(&self, raw: &mut Vec<u8>) {
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
    let text = |index: usize| match labels.and_then(|labels| labels.get(index)) {
        Some(label) => format!("{:.6}:{index}:{label}", row[index]),
        None => format!("{:.6}:{index}", row[index]),
    };
    ranked(row).into_iter().take(count).map(text).collect()
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
        Values::Floats(vec![1.0]).append_to(&mut raw);
        Values::Texts(vec!["ab".into(), String::new()]).append_to(&mut raw);
        assert_eq!(raw, [0, 0, 128, 63, 2, 0, 0, 0, b'a', b'b', 0, 0, 0, 0]);
    }
}
