//! Which output of a foreign graph is the vector of an image and which holds its class scores: by rank, then by name, then by
//! width.

use super::pooled::{Pooling, can_pool};
use crate::model_file::{dims, tensor_type};
use selfie_models::card::{Embedding, Logits, Outputs};
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, ValueInfoProto};

/// Parts of names that outputs of class scores have.
const SCORES: &[&str] = &["logit", "score", "class", "prob", "pred"];
/// Parts of names that outputs of vectors have.
const VECTORS: &[&str] = &["embed", "pool", "feature", "vector"];
/// Numbers of classes of the data sets that models are published for: CIFAR and ImageNet.
const USUAL_CLASSES: &[usize] = &[10, 100, 1000, 1001, 21_841, 21_843];

/// The outputs by role, and why.
#[derive(Debug, PartialEq)]
pub struct Roles {
    /// Name of the output that holds vectors.
    pub embedding: Option<String>,
    /// Name of the output that holds class scores.
    pub logits: Option<String>,
    /// Why, a line for each output.
    pub reasons: Vec<String>,
}

/// Finds the outputs that can be served. `added` is one that holds vectors, whatever else does.
///
/// # Errors
/// No output is one row of floats for each image.
pub fn roles(graph: &GraphProto, labels: Option<&[String]>, added: Option<&str>) -> Result<Roles, String> {
    let (rows, others): (Vec<_>, Vec<_>) = graph.output.iter().partition(|output| is_row(output));
    if rows.is_empty() {
        let found: Vec<String> = others.iter().map(|output| shape(output)).collect();
        let advice = match graph.output.iter().any(|output| can_pool(output, Pooling::Mean)) {
            true => "; --pooling cls or mean gives the file an output more, one vector of those of tokens or places",
            false => "",
        };
        return Err(format!("none of its outputs is one row of floats for each image: {}{advice}", found.join(", ")));
    }
    let named = |parts: &[&str]| {
        let has = |output: &&&ValueInfoProto| parts.iter().any(|part| output.name.to_lowercase().contains(part));
        rows.iter().find(has).map(|output| output.name.clone())
    };
    let mut reasons = Vec::new();
    let mut logits = named(SCORES);
    let mut embedding = named(VECTORS).filter(|name| Some(name) != logits.as_ref() && added.is_none());
    for name in logits.iter().chain(&embedding) {
        let role = if Some(name) == logits.as_ref() { "class scores" } else { "vectors" };
        reasons.push(format!("output: \"{name}\" holds {role}, by its name"));
    }
    embedding = added.map(str::to_owned).or(embedding);
    if logits.is_none() && embedding.is_none() {
        let (name, width) = (rows[0].name.clone(), width(rows[0]));
        let is_classes =
            |width: usize| labels.is_some_and(|labels| labels.len() == width) || USUAL_CLASSES.contains(&width);
        if width.is_some_and(is_classes) {
            reasons.push(format!("output: \"{name}\" holds class scores, by its width"));
            logits = Some(name);
        } else {
            reasons.push(format!("output: \"{name}\" holds vectors, since nothing says that they are class scores"));
            embedding = Some(name);
        }
    }
    let makes = |name: &String| graph.node.iter().find(|node| node.output.contains(name));
    if let Some(name) = &logits
        && makes(name).is_some_and(|node| node.op_type == "Softmax")
    {
        reasons.push(format!(
            "note: \"{name}\" has gone through Softmax already; classification takes scores before it and will show them flatter"
        ));
    }
    reasons.extend(others.iter().map(|output| format!("output: {} is not served", shape(output))));
    Ok(Roles { embedding, logits, reasons })
}

impl Roles {
    /// The outputs of the card, before their widths are known.
    pub fn provisional(&self) -> Outputs {
        Outputs {
            embedding: self.embedding.clone().map(|name| Embedding { name, width: 1 }),
            logits: self.logits.clone().map(|name| Logits { name, labels: Vec::new() }),
        }
    }
}

/// Whether the output is `[batch, width]` of floats, axes of one behind that or not, or says nothing of its shape.
fn is_row(output: &ValueInfoProto) -> bool {
    tensor_type(output).is_some_and(|tensor| {
        let dims = dims(tensor);
        let has_rows = dims.get(2..).is_some_and(|behind| behind.iter().all(|side| *side == Some(1)));
        tensor.elem_type == DataType::Float as i32 && (tensor.shape.is_none() || has_rows)
    })
}

fn width(output: &ValueInfoProto) -> Option<usize> {
    dims(tensor_type(output)?).get(1).copied().flatten()
}

fn shape(output: &ValueInfoProto) -> String {
    let axes = tensor_type(output).map(dims).unwrap_or_default();
    let axes: Vec<String> = axes.iter().map(|axis| axis.map_or("?".into(), |axis| axis.to_string())).collect();
    format!("\"{}\" [{}]", output.name, axes.join(", "))
}
