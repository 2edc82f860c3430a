//! `Reshape(Reshape(x))` → `Reshape(x)`.

use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::ir::{Attribute, Constant, Graph, Node, Uses, Value};
use crate::shapes::reshape_target;

pub(super) struct MergeReshapes;

impl Pass for MergeReshapes {
    fn name(&self) -> &'static str {
        "merge_reshapes"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let uses = Uses::of(graph);
        let mut patch = Patch::of(graph);
        let mut reason = "no Reshape follows a Reshape".to_string();
        for (index, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is("Reshape")) {
            let Some(middle) = node.input(0) else { continue };
            if node.attributes.get("allowzero") == Some(&Attribute::Int(1)) {
                reason = format!("{}: a 0 in its shape is a size of zero", node.label());
                continue;
            }
            let Some(inner) = uses.producer(middle).filter(|i| graph.nodes[*i].is("Reshape") && !patch.touches(*i))
            else {
                continue;
            };
            let Some(source) = graph.nodes[inner].input(0) else { continue };
            let Some(target) = reshape_target(&graph.value(source).shape, &graph.value(node.outputs[0]).shape) else {
                reason = format!("{}: the merged shape has two sizes that are only known at run time", node.label());
                continue;
            };
            let target = patch.add_value(Value::constant(Constant::i64s(&target), None));
            let merged = Node { inputs: vec![Some(source), Some(target)], ..node.clone() };
            patch.replace(index, vec![merged]);
            patch.fired(node.label());
        }
        Ok(if patch.is_empty() { Outcome::Unchanged(reason) } else { Outcome::Changed(patch) })
    }
}
