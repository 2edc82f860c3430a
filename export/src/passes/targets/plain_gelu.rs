//! GELU → `(x · ½) · (erf(x · √½) + 1)`, which converters do not take for GELU.

use std::f64::consts::FRAC_1_SQRT_2;

use super::wiring::Wiring;
use crate::Result;
use crate::ir::{Attribute, Attributes, Graph, Node, ValueId};
use crate::passes::fuse_gelu::gelu;
use crate::passes::pattern::Pattern;
use crate::passes::{Outcome, Pass, Patch};

pub(super) struct PlainGelu;

impl Pass for PlainGelu {
    fn name(&self) -> &'static str {
        "plain_gelu"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let pattern = Pattern::of(graph);
        let mut patch = Patch::of(graph);
        for (index, node) in graph.nodes.iter().enumerate() {
            let Some(x) = input(&pattern, node) else { continue };
            let out = graph.value(node.outputs[0]);
            let like = (out.dtype, &out.shape[..]);
            let mut wiring = Wiring::of(graph, &mut patch, node);
            let [half, root, one] = [0.5, FRAC_1_SQRT_2, 1.0].map(|number| wiring.number(out.dtype, number));
            let halved = wiring.apply("Mul", &[x, half], like, Attributes::new());
            let scaled = wiring.apply("Mul", &[x, root], like, Attributes::new());
            let erf = wiring.apply("Erf", &[scaled], like, Attributes::new());
            let shifted = wiring.apply("Add", &[erf, one], like, Attributes::new());
            wiring.finish(index, "Mul", &[halved, shifted], Attributes::new());
        }
        if patch.is_empty() {
            return Ok(Outcome::Unchanged("there is no GELU".to_string()));
        }
        Ok(Outcome::Changed(patch))
    }
}

/// What the exact GELU that this node is, or ends, is of.
fn input(pattern: &Pattern<'_>, node: &Node) -> Option<ValueId> {
    if node.is("Gelu") {
        let exact =
            node.attributes.get("approximate").is_none_or(|kind| *kind == Attribute::String("none".to_string()));
        return node.input(0).filter(|_| exact);
    }
    let (input, approximate) = node.is("Mul").then(|| gelu(pattern, node)).flatten()?;
    (approximate == "none").then_some(input)
}
