//! `Div(e, ReduceSum(e))` with `e = Exp(Sub(x, ReduceMax(x)))` → `Softmax(x)`.

use super::pattern::{Pattern, operands};
use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::ir::{Graph, Node, ValueId, attributes};

pub(super) struct FuseSoftmax;

impl Pass for FuseSoftmax {
    fn name(&self) -> &'static str {
        "fuse_softmax"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let pattern = Pattern::of(graph);
        let mut patch = Patch::of(graph);
        let mut reason = "no Div by a ReduceSum of the same Exp".to_string();
        for (index, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is("Div")) {
            match softmax(&pattern, node) {
                None => {}
                Some(Err(why)) => reason = format!("{}: {why}", node.label()),
                Some(Ok((input, axis))) => {
                    let softmax = Node {
                        op: "Softmax".to_string(),
                        inputs: vec![Some(input)],
                        attributes: attributes([("axis", axis.into())]),
                        ..node.clone()
                    };
                    patch.replace(index, vec![softmax]);
                    patch.fired(node.label());
                }
            }
        }
        Ok(if patch.is_empty() { Outcome::Unchanged(reason) } else { Outcome::Changed(patch) })
    }
}

/// The input and the axis, or what is amiss with a sum that looks like a softmax.
fn softmax(pattern: &Pattern<'_>, node: &Node) -> Option<Result<(ValueId, i64), &'static str>> {
    let (exponential, sum) = operands(node)?;
    let sum = pattern.made_for_one(sum, "ReduceSum")?;
    if sum.input(0)? != exponential {
        return None;
    }
    let axes = pattern.reduced_axes(sum)?;
    let (exp, shifted) = pattern.made_by(exponential, "Exp").and_then(|exp| Some((exp, exp.input(0)?)))?;
    if pattern.uses.consumers(exp.outputs[0]).len() != 2 || pattern.uses.is_output(exp.outputs[0]) {
        return Some(Err("the exponentials have another reader"));
    }
    let Some(difference) = pattern.made_for_one(shifted, "Sub") else {
        return Some(Err("the exponents are not shifted by their largest"));
    };
    let (input, largest) = operands(difference)?;
    let largest = pattern.made_for_one(largest, "ReduceMax").filter(|largest| largest.input(0) == Some(input));
    match (largest.and_then(|largest| pattern.reduced_axes(largest)), axes.as_slice()) {
        (Some(found), [axis]) if found == axes => Some(Ok((input, *axis))),
        _ => Some(Err("the largest and the sum are not of the same one axis")),
    }
}
