//! Nodes whose inputs are all known: `f(constant)` → `constant`.
//!
//! The numbers come from running the one node in tract, so every operator that tract knows folds.

use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::emit::{Header, to_bytes};
use crate::ir::{Constant, Graph, GraphOutput, Node, Uses, Value, ValueId};
use crate::verify::{Runner, TractRunner};

/// Operators whose constants a runtime wants to see: it then computes with 8-bit integers.
const QUANTIZERS: [&str; 2] = ["DequantizeLinear", "QuantizeLinear"];

/// About what a node takes in the file: a result may be this large even where it is larger than what it replaces.
const FREE_BYTES: usize = 128;

pub(super) struct FoldConstants;

impl Pass for FoldConstants {
    fn name(&self) -> &'static str {
        "fold_constants"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let uses = Uses::of(graph);
        let mut patch = Patch::of(graph);
        let mut reason = "no node reads constants only".to_string();
        for (index, node) in graph.nodes.iter().enumerate() {
            let Some(inputs) = known(graph, node) else { continue };
            match fold(graph, &uses, node, &inputs) {
                Err(why) => reason = format!("{}: {why}", node.label()),
                Ok(constant) => {
                    let name = inputs.first().and_then(|id| graph.value(*id).name.clone());
                    let name =
                        name.filter(|_| inputs.iter().filter(|id| graph.value(**id).name.is_some()).count() == 1);
                    let folded = patch.add_value(Value::constant(constant, name));
                    patch.replace(index, vec![]);
                    patch.redirect(node.outputs[0], folded);
                    patch.fired(node.label());
                }
            }
        }
        Ok(if patch.is_empty() { Outcome::Unchanged(reason) } else { Outcome::Changed(patch) })
    }
}

fn known(graph: &Graph, node: &Node) -> Option<Vec<ValueId>> {
    if !node.is_known() || node.rolls_dice() || QUANTIZERS.contains(&node.op.as_str()) {
        return None;
    }
    let inputs: Vec<ValueId> = node.inputs.iter().flatten().copied().collect();
    let constant = inputs.iter().all(|id| graph.constant(*id).is_some());
    (constant && !inputs.is_empty() && node.outputs.len() == 1).then_some(inputs)
}

fn fold(graph: &Graph, uses: &Uses, node: &Node, inputs: &[ValueId]) -> Result<Constant, String> {
    let output = graph.value(node.outputs[0]);
    let dims = output.fixed_shape().ok_or("its size is only known at run time")?;
    let count = dims.iter().try_fold(1usize, |count, size| count.checked_mul(*size));
    let bytes = count.and_then(|count| count.checked_mul(output.dtype.size())).ok_or("its size is too large")?;
    let freed: usize = inputs
        .iter()
        .filter(|id| uses.has_one_consumer(**id))
        .filter_map(|id| graph.constant(*id))
        .map(|constant| constant.bytes().len())
        .sum();
    let shares = node.is("Reshape");
    if bytes > FREE_BYTES.max(freed) && !(shares && bytes <= freed) {
        return Err("the result is larger than the constants it would replace".to_string());
    }
    if let (true, Some(constant)) = (shares, graph.constant(inputs[0]).filter(|data| data.bytes().len() == bytes)) {
        return Ok(constant.reshaped(dims));
    }
    let constant = evaluate(graph, node, inputs).map_err(|error| error.to_string())?;
    if constant.dtype() != output.dtype || constant.dims() != dims {
        let declared = format!("{}{dims:?}", output.dtype.name());
        return Err(format!(
            "tract gives {}{:?} where {declared} is declared",
            constant.dtype().name(),
            constant.dims()
        ));
    }
    Ok(constant)
}

/// A graph of the one node, run without inputs.
fn evaluate(graph: &Graph, node: &Node, inputs: &[ValueId]) -> Result<Constant> {
    let mut single = Graph { opset: graph.opset, ..Graph::default() };
    let mut moved = std::collections::BTreeMap::new();
    for id in inputs {
        moved.entry(*id).or_insert_with(|| single.push_value(Value { name: None, ..graph.value(*id).clone() }));
    }
    let output = single.push_value(graph.value(node.outputs[0]).clone());
    let inputs = node.inputs.iter().map(|id| id.and_then(|id| moved.get(&id).copied())).collect();
    single.nodes.push(Node { inputs, outputs: vec![output], ..node.clone() });
    single.outputs.push(GraphOutput { name: "folded".to_string(), value: output });
    let header = Header { name: "fold".to_string(), ..Header::default() };
    let mut session = TractRunner.load(&to_bytes(&single, &header)?)?;
    let outputs = session.run(&[])?;
    let data = outputs.into_iter().next().map(|(_, data)| data);
    data.map_or_else(
        || Err(crate::Error::Runner { runner: "tract", action: "folding", message: "no output".to_string() }),
        Constant::from_burn,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Attributes, ElementType};
    use crate::shapes::Dim;

    /// The sum of two known vectors, and what the graph says of it.
    fn sum(dtype: ElementType, size: i64) -> Graph {
        let mut graph = Graph::default();
        let known = [[1.0, 2.0], [3.0, 4.0]].map(|numbers| Value::constant(Constant::f32(vec![2], &numbers), None));
        let [left, right] = known.map(|value| graph.push_value(value));
        let out = graph.push_value(Value::computed(dtype, vec![Dim::Fixed(size)]));
        graph.nodes.push(Node::new("Add", &[left, right], vec![out], Attributes::new(), ""));
        graph.outputs.push(GraphOutput { name: "y".to_string(), value: out });
        graph
    }

    #[test]
    fn a_result_that_is_not_as_declared_is_not_folded() {
        for (dtype, size, expected) in [
            (ElementType::F32, 2, None),
            (ElementType::F32, 3, Some("float32[2] where float32[3]")),
            (ElementType::F64, 2, Some("float32[2] where float64[2]")),
            (ElementType::F32, i64::MAX, Some("too large")),
        ] {
            let reason = match FoldConstants.run(&sum(dtype, size)).unwrap() {
                Outcome::Unchanged(reason) => Some(reason),
                Outcome::Changed(_) => None,
            };
            match expected {
                None => assert_eq!(reason, None),
                Some(part) => {
                    assert!(reason.as_ref().is_some_and(|r| r.contains(part)), "{dtype:?} {size}: {reason:?}")
                }
            }
        }
    }
}
