//! What of a file is ONNX's own, and what of that the passes can read.

use std::collections::BTreeSet;
use std::path::Path;

use tract_onnx::pb;

use super::attribute;
use crate::Result;
use crate::ir::{Attribute, Attributes, Constant};

/// The two names of ONNX's own domain.
pub(super) const ONNX: [&str; 2] = ["", "ai.onnx"];

/// The version of ONNX's own operators, if the file uses any.
pub(super) fn opset(model: &pb::ModelProto) -> Option<i64> {
    model.opset_import.iter().find(|set| ONNX.contains(&set.domain.as_str())).map(|set| set.version)
}

/// The attributes of every node that the passes may understand: of ONNX's own domain and without subgraphs.
pub(super) fn understood(model: &pb::ModelProto, folder: &Path) -> Result<Vec<Option<Attributes>>> {
    let own: BTreeSet<&str> =
        model.functions.iter().filter(|f| ONNX.contains(&f.domain())).map(pb::FunctionProto::name).collect();
    let nodes = model.graph.iter().flat_map(|graph| &graph.node);
    nodes
        .map(|node| {
            let standard = ONNX.contains(&node.domain.as_str()) && !own.contains(node.op_type.as_str());
            let complete = node.output.iter().all(|name| !name.is_empty());
            if !standard || !complete {
                return Ok(None);
            }
            match attribute::all(node, folder)? {
                None if node.op_type == "Constant" && attribute::constant(node, folder)?.is_some() => {
                    Ok(Some(Attributes::new()))
                }
                attributes => Ok(attributes.map(|attributes| explicit(&node.op_type, attributes))),
            }
        })
        .collect()
}

/// The attributes with the zeros of 32 bits that `ConstantOfShape` gives where it has no `value`: tract takes wider ones.
fn explicit(op: &str, mut attributes: Attributes) -> Attributes {
    if op == "ConstantOfShape" {
        let zero = || Attribute::Tensor(Constant::f32(vec![1], &[0.0]));
        attributes.entry("value".to_string()).or_insert_with(zero);
    }
    attributes
}

/// What errors call a node.
pub(super) fn label(node: &pb::NodeProto) -> String {
    let outputs = node.output.join("`, `");
    match node.name.is_empty() {
        true => format!("the {} that makes `{outputs}`", node.op_type),
        false => format!("node `{}` ({})", node.name, node.op_type),
    }
}
