//! `Conv` with pads that no window reaches → the same without them.
//!
//! A stride of 2 over an even side with pads of 1 leaves the last row of pads unread. Only sides of fixed size show that.

use crate::Result;
use crate::ir::{Attribute, Graph, Node};
use crate::passes::{Outcome, Pass, Patch};

pub(super) struct TrimPads;

impl Pass for TrimPads {
    fn name(&self) -> &'static str {
        "trim_pads"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let mut patch = Patch::of(graph);
        for (index, conv) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is("Conv")) {
            let Some(pads) = trimmed(graph, conv) else { continue };
            let mut attributes = conv.attributes.clone();
            attributes.insert("pads".to_string(), pads.into());
            patch.replace(index, vec![Node { attributes, ..conv.clone() }]);
            patch.fired(conv.label());
        }
        if patch.is_empty() {
            return Ok(Outcome::Unchanged("no Conv of fixed sides has pads that no window reaches".to_string()));
        }
        Ok(Outcome::Changed(patch))
    }
}

/// The pads that windows reach, where there are others.
fn trimmed(graph: &Graph, conv: &Node) -> Option<Vec<i64>> {
    let sides = graph.value(conv.input(0)?).shape.get(2..)?;
    let kernel = graph.value(conv.input(1)?).shape.get(2..)?;
    let ones = || vec![1; sides.len()];
    let strides = ints(conv, "strides", ones, sides.len())?;
    let dilations = ints(conv, "dilations", ones, sides.len())?;
    let pads = ints(conv, "pads", || vec![0; 2 * sides.len()], 2 * sides.len())?;
    let mut kept = pads.clone();
    for (axis, (side, kernel)) in sides.iter().zip(kernel).enumerate() {
        let (Some(side), Some(kernel)) = (side.fixed(), kernel.fixed()) else { continue };
        let (begin, end) = (pads[axis], pads[sides.len() + axis]);
        let extent = dilations[axis] * (kernel - 1) + 1;
        let windows = (side + begin + end - extent).checked_div(strides[axis])? + 1;
        let reached = (windows - 1) * strides[axis] + extent - side - begin;
        kept[sides.len() + axis] = end.min(reached.max(0));
    }
    (kept != pads).then_some(kept)
}

/// An attribute of this many integers, or what ONNX gives it.
fn ints(conv: &Node, name: &str, default: impl Fn() -> Vec<i64>, count: usize) -> Option<Vec<i64>> {
    match conv.attributes.get(name) {
        Some(Attribute::Ints(values)) => Some(values.clone()).filter(|values| values.len() == count),
        Some(_) => None,
        None => Some(default()),
    }
}
