//! `HardSigmoid(x)` → `Clip(α · x + β, 0, 1)`.

use super::wiring::Wiring;
use crate::Result;
use crate::ir::{Attribute, Attributes, Graph, Node};
use crate::passes::{Outcome, Pass, Patch};

pub(super) struct SplitHardSigmoid;

impl Pass for SplitHardSigmoid {
    fn name(&self) -> &'static str {
        "split_hard_sigmoid"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let mut patch = Patch::of(graph);
        for (index, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is("HardSigmoid")) {
            let Some(x) = node.input(0) else { continue };
            let out = graph.value(node.outputs[0]);
            let like = (out.dtype, &out.shape[..]);
            let mut wiring = Wiring::of(graph, &mut patch, node);
            let numbers = [factor(node, "alpha", 0.2), factor(node, "beta", 0.5), 0.0, 1.0];
            let [alpha, beta, zero, one] = numbers.map(|number| wiring.number(out.dtype, number));
            let scaled = wiring.apply("Mul", &[x, alpha], like, Attributes::new());
            let shifted = wiring.apply("Add", &[scaled, beta], like, Attributes::new());
            wiring.finish(index, "Clip", &[shifted, zero, one], Attributes::new());
        }
        if patch.is_empty() {
            return Ok(Outcome::Unchanged("there is no HardSigmoid".to_string()));
        }
        Ok(Outcome::Changed(patch))
    }
}

/// An attribute, or what ONNX gives it.
fn factor(node: &Node, name: &str, default: f64) -> f64 {
    match node.attributes.get(name) {
        Some(Attribute::Float(value)) => f64::from(*value),
        _ => default,
    }
}
