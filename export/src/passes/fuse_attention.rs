//! `MatMul(Softmax(MatMul(q, Transpose(k)) · scale + bias), v)` of four axes → `Attention(q, k, v, bias)`, opset 23.

use super::pattern::{Pattern, operands};
use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::ir::{Attribute, Graph, Node, ValueId, attributes};

pub(super) struct FuseAttention;

impl Pass for FuseAttention {
    fn name(&self) -> &'static str {
        "fuse_attention"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        if graph.opset < 23 {
            return Ok(Outcome::Unchanged("Attention is of opset 23".to_string()));
        }
        let pattern = Pattern::of(graph);
        let mut patch = Patch::of(graph);
        let mut reason = "no product of a Softmax and values".to_string();
        for (index, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is("MatMul")) {
            match attention(&pattern, node) {
                None => {}
                Some(Err(why)) => reason = format!("{}: {why}", node.label()),
                Some(Ok(attention)) => {
                    let mut inputs = vec![attention.query, attention.key, attention.value];
                    inputs.extend(attention.bias);
                    let fused = Node {
                        op: "Attention".to_string(),
                        inputs: inputs.into_iter().map(Some).collect(),
                        attributes: attributes([("scale", Attribute::Float(attention.scale))]),
                        ..node.clone()
                    };
                    patch.replace(index, vec![fused]);
                    patch.fired(node.label());
                }
            }
        }
        Ok(if patch.is_empty() { Outcome::Unchanged(reason) } else { Outcome::Changed(patch) })
    }
}

struct Attention {
    query: ValueId,
    key: ValueId,
    value: ValueId,
    bias: Option<ValueId>,
    scale: f32,
}

/// The operands, or what keeps a product that looks like attention from being it.
fn attention(pattern: &Pattern<'_>, node: &Node) -> Option<Result<Attention, &'static str>> {
    let (weights, value) = operands(node)?;
    let softmax = pattern.made_for_one(weights, "Softmax")?;
    let last = pattern.rank(weights) as i64 - 1;
    if last != 3 || ![Some(&Attribute::Int(-1)), Some(&Attribute::Int(last))].contains(&softmax.attributes.get("axis"))
    {
        return Some(Err("the Softmax is not over the last of four axes"));
    }
    let mut scores = softmax.input(0)?;
    let mut bias = None;
    if let Some(sum) = pattern.made_for_one(scores, "Add") {
        let scaled = |id: ValueId| ["Mul", "MatMul"].into_iter().any(|op| pattern.made_for_one(id, op).is_some());
        let (inner, added) = pattern.orders(sum).find(|(inner, _)| scaled(*inner))?;
        if pattern.graph.value(added).shape != pattern.graph.value(scores).shape {
            return Some(Err("the bias broadcasts to the scores"));
        }
        (scores, bias) = (inner, Some(added));
    }
    let mut scale = 1.0;
    if let Some(product) = pattern.made_for_one(scores, "Mul") {
        let scaled = pattern.orders(product).find_map(|(inner, scale)| Some((inner, pattern.scalar(scale)?)));
        let Some((inner, found)) = scaled else { return Some(Err("the scale is no constant")) };
        (scores, scale) = (inner, found as f32);
    }
    let product = pattern.made_for_one(scores, "MatMul");
    let (query, turned) = product.and_then(operands)?;
    let transpose = pattern.made_for_one(turned, "Transpose")?;
    if transpose.attributes.get("perm") != Some(&Attribute::Ints(vec![0, 1, 3, 2])) {
        return Some(Err("the keys are turned in another way"));
    }
    let key = transpose.input(0)?;
    if [query, key, value].into_iter().any(|id| pattern.rank(id) != 4) {
        return Some(Err("queries, keys and values do not have four axes each"));
    }
    let heads = |id: ValueId| pattern.graph.value(id).shape.get(..2);
    if heads(query) != heads(key) || heads(key) != heads(value) {
        return Some(Err("queries, keys and values differ in batch or heads"));
    }
    Some(Ok(Attention { query, key, value, bias, scale }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Attributes, ElementType, GraphOutput, Value};
    use crate::shapes::Dim;

    /// The product of softmax weights and values of this shape.
    fn graph(values: &[i64]) -> Graph {
        let mut graph = Graph { opset: 23, ..Graph::default() };
        let mut value = |sizes: &[i64]| {
            let shape = sizes.iter().copied().map(Dim::Fixed).collect();
            graph.push_value(Value::computed(ElementType::F32, shape))
        };
        let (query, key, values) = (value(&[1, 2, 3, 4]), value(&[1, 2, 3, 4]), value(values));
        let (turned, scores) = (value(&[1, 2, 4, 3]), value(&[1, 2, 3, 3]));
        let (weights, out) = (value(&[1, 2, 3, 3]), value(&[1, 2, 3, 4]));
        let perm = attributes([("perm", Attribute::Ints(vec![0, 1, 3, 2]))]);
        graph.nodes = vec![
            Node::new("Transpose", &[key], vec![turned], perm, ""),
            Node::new("MatMul", &[query, turned], vec![scores], Attributes::new(), ""),
            Node::new("Softmax", &[scores], vec![weights], attributes([("axis", 3.into())]), ""),
            Node::new("MatMul", &[weights, values], vec![out], Attributes::new(), ""),
        ];
        graph.inputs = vec![query, key, values];
        graph.outputs = vec![GraphOutput { name: "y".to_string(), value: out }];
        graph
    }

    #[test]
    fn values_of_fewer_axes_stay_a_product() {
        let cases: [(&[i64], Option<&str>); 4] = [
            (&[1, 2, 3, 4], None),
            (&[2, 2, 3, 4], Some("differ in batch or heads")),
            (&[3, 4], Some("four axes")),
            (&[3], Some("four axes")),
        ];
        for (values, expected) in cases {
            let reason = match FuseAttention.run(&graph(values)).unwrap() {
                Outcome::Unchanged(reason) => Some(reason),
                Outcome::Changed(_) => None,
            };
            let holds = match (&reason, expected) {
                (Some(reason), Some(part)) => reason.contains(part),
                (reason, expected) => reason.is_none() && expected.is_none(),
            };
            assert!(holds, "{values:?}: {reason:?}");
        }
    }
}
