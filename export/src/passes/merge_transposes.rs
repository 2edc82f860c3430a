//! `Transpose(Transpose(x))` → `Transpose(x)`.

use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::ir::{Attribute, Graph, Node, Uses, attributes};

pub(super) struct MergeTransposes;

impl Pass for MergeTransposes {
    fn name(&self) -> &'static str {
        "merge_transposes"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let uses = Uses::of(graph);
        let mut patch = Patch::of(graph);
        for (index, node) in graph.nodes.iter().enumerate() {
            let Some(inner) = node.input(0).and_then(|id| uses.producer(id)).filter(|inner| !patch.touches(*inner))
            else {
                continue;
            };
            let inner = &graph.nodes[inner];
            let (Some(outer_axes), Some(inner_axes), Some(source)) = (axes(node), axes(inner), inner.input(0)) else {
                continue;
            };
            let merged: Option<Vec<i64>> =
                outer_axes.iter().map(|axis| inner_axes.get(*axis as usize).copied()).collect();
            let Some(merged) = merged else { continue };
            let attributes = attributes([("perm", Attribute::Ints(merged))]);
            patch.replace(index, vec![Node { inputs: vec![Some(source)], attributes, ..node.clone() }]);
            patch.fired(node.label());
        }
        if patch.is_empty() {
            return Ok(Outcome::Unchanged("no Transpose follows a Transpose".to_string()));
        }
        Ok(Outcome::Changed(patch))
    }
}

fn axes(node: &Node) -> Option<&Vec<i64>> {
    match node.attributes.get("perm") {
        Some(Attribute::Ints(axes)) if node.is("Transpose") => Some(axes),
        _ => None,
    }
}
