//! `Transpose(f(Transpose(x)))` → `f(Transpose(x))` for a function of each element alone.

use super::pattern::Pattern;
use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::ir::{Attribute, Graph, Node, Value, attributes};

/// Functions of one operand, element by element.
const ELEMENT_WISE: [&str; 14] = [
    "Abs",
    "Cast",
    "Ceil",
    "Erf",
    "Exp",
    "Floor",
    "HardSigmoid",
    "LeakyRelu",
    "Log",
    "Neg",
    "Relu",
    "Sigmoid",
    "Sqrt",
    "Tanh",
];

pub(super) struct SinkTransposes;

impl Pass for SinkTransposes {
    fn name(&self) -> &'static str {
        "sink_transposes"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let pattern = Pattern::of(graph);
        let mut patch = Patch::of(graph);
        let mut reason = "no function lies between two Transposes".to_string();
        for (index, outer) in graph.nodes.iter().enumerate() {
            let (Some(outer_axes), Some(middle)) = (axes(outer), outer.input(0)) else { continue };
            let Some(producer) = pattern.uses.producer(middle) else { continue };
            let function = &graph.nodes[producer];
            if !function.is_known() || !ELEMENT_WISE.contains(&function.op.as_str()) {
                continue;
            }
            let Some(source) = function.input(0) else { continue };
            let Some(source_index) = pattern.uses.producer(source) else { continue };
            if patch.touches(producer) || patch.touches(source_index) {
                continue;
            }
            let inner = &graph.nodes[source_index];
            let (Some(inner_axes), Some(input)) = (axes(inner), inner.input(0)) else { continue };
            if !pattern.uses.has_one_consumer(middle) || !pattern.uses.has_one_consumer(source) {
                reason = format!("{}: what lies between has another reader", outer.label());
                continue;
            }
            let merged: Option<Vec<i64>> =
                outer_axes.iter().map(|axis| inner_axes.get(usize::try_from(*axis).ok()?).copied()).collect();
            let Some(merged) = merged else { continue };
            let shape = graph.value(outer.outputs[0]).shape.clone();
            let moved = patch.add_value(Value::computed(graph.value(source).dtype, shape));
            let attributes = attributes([("perm", Attribute::Ints(merged))]);
            let transpose = Node { inputs: vec![Some(input)], outputs: vec![moved], attributes, ..inner.clone() };
            let function = Node { inputs: vec![Some(moved)], outputs: outer.outputs.clone(), ..function.clone() };
            patch.replace(producer, vec![]);
            patch.replace(index, vec![transpose, function]);
            patch.fired(outer.label());
        }
        Ok(if patch.is_empty() { Outcome::Unchanged(reason) } else { Outcome::Changed(patch) })
    }
}

fn axes(node: &Node) -> Option<&Vec<i64>> {
    match node.attributes.get("perm") {
        Some(Attribute::Ints(axes)) if node.is("Transpose") => Some(axes),
        _ => None,
    }
}
