//! Nodes that change nothing: `Reshape`, `Transpose`, `Cast`, `Slice`, `Expand`, `Identity`, `Concat(x)`, `Dropout` out of
//! training → `x`.

use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::ir::{Attribute, Graph, Node, ValueId};

pub(super) struct DropIdentities;

impl Pass for DropIdentities {
    fn name(&self) -> &'static str {
        "drop_identities"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let mut patch = Patch::of(graph);
        for (index, node) in graph.nodes.iter().enumerate() {
            if let Some((input, output)) = identity(graph, node) {
                patch.replace(index, vec![]);
                patch.redirect(output, input);
                patch.fired(node.label());
            }
        }
        if patch.is_empty() {
            return Ok(Outcome::Unchanged("every node changes its input".to_string()));
        }
        Ok(Outcome::Changed(patch))
    }
}

fn identity(graph: &Graph, node: &Node) -> Option<(ValueId, ValueId)> {
    let (input, output) = (node.input(0)?, *node.outputs.first()?);
    let same_shape = graph.value(input).shape == graph.value(output).shape;
    let unchanged = node.is_known()
        && match node.op.as_str() {
            "Identity" => true,
            "Concat" => node.inputs.len() == 1,
            "Dropout" => node.outputs.len() == 1 && node.input(2).is_none(),
            "Cast" => graph.value(input).dtype == graph.value(output).dtype,
            "Reshape" | "Expand" => same_shape,
            "Slice" => same_shape && forward(graph, node),
            "Transpose" => match node.attributes.get("perm") {
                Some(Attribute::Ints(axes)) => axes.iter().enumerate().all(|(axis, from)| axis as i64 == *from),
                _ => false,
            },
            _ => false,
        };
    unchanged.then_some((input, output))
}

/// A slice of the full size is the input itself, unless it walks backwards.
fn forward(graph: &Graph, node: &Node) -> bool {
    match node.inputs.get(4).copied().flatten() {
        None => true,
        Some(steps) => graph.constant(steps).and_then(|c| c.to_i64()).is_some_and(|steps| steps.iter().all(|s| *s > 0)),
    }
}
