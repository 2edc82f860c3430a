//! Which layers are quantised, and which activations need a scale for it.

use std::collections::BTreeSet;

use crate::ir::{Attribute, ElementType, Graph, Node, Uses, ValueId};
use crate::precision::Keep;
use crate::{Error, Result};

/// A node with a constant weight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layer {
    /// Position among the nodes.
    pub node: usize,
    /// The axis of the weight that counts output channels.
    pub channel_axis: usize,
}

/// The layers of a graph and the activations around them.
pub(super) struct Layers {
    pub layers: Vec<Layer>,
    /// Inputs and outputs of layers. A rectifier belongs to the layer before it.
    pub activations: BTreeSet<ValueId>,
    pub kept: Vec<String>,
}

impl Layers {
    /// # Errors
    /// There is none.
    pub fn of(graph: &Graph, keep: &Keep) -> Result<Self> {
        let uses = Uses::of(graph);
        let mut found = Self { layers: vec![], activations: BTreeSet::new(), kept: vec![] };
        for (index, node) in graph.nodes.iter().enumerate() {
            let Some(channel_axis) = channel_axis(graph, node) else { continue };
            if keep.holds(node) {
                found.kept.push(node.label());
                continue;
            }
            found.layers.push(Layer { node: index, channel_axis });
            found.activations.extend(node.input(0));
            let output = activated(graph, &uses, node.outputs[0]);
            if !uses.consumers(output).is_empty() {
                found.activations.insert(output);
            }
        }
        if found.layers.is_empty() {
            let reason = "no Conv, Gemm or MatMul with a constant float32 weight is left to quantise";
            return Err(Error::Request(reason.to_string()));
        }
        Ok(found)
    }
}

/// The axis of output channels of the weight, if the node is a layer.
fn channel_axis(graph: &Graph, node: &Node) -> Option<usize> {
    let constant = graph.constant(node.input(1)?).filter(|weight| weight.dtype() == ElementType::F32)?;
    let number = |name: &str| match node.attributes.get(name) {
        Some(Attribute::Float(value)) => *value,
        _ => 1.0,
    };
    let transposed = node.attributes.get("transB") == Some(&Attribute::Int(1));
    let bias_is_constant = node.input(2).is_none_or(|bias| graph.constant(bias).is_some());
    let activation = graph.constant(node.input(0)?).is_none();
    let axis = match node.op.as_str() {
        "Conv" => 0,
        "Gemm" if number("alpha") == 1.0 && number("beta") == 1.0 => usize::from(!transposed),
        "MatMul" if constant.dims().len() == 2 => 1,
        _ => return None,
    };
    (node.domain.is_empty() && activation && bias_is_constant).then_some(axis)
}

/// The output itself, or what the one rectifier makes of it.
fn activated(graph: &Graph, uses: &Uses, output: ValueId) -> ValueId {
    match uses.consumers(output) {
        [reader] if uses.has_one_consumer(output) && graph.nodes[*reader].is("Relu") => graph.nodes[*reader].outputs[0],
        _ => output,
    }
}
