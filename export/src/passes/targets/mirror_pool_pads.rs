//! `MaxPool` with pads → `MaxPool(Pad(x))` with mirrored numbers: every mirrored one lies in the window of its original,
//! so the largest stays the same. A side that is open must be longer than its pads, or there is nothing to mirror.

use super::wiring::Wiring;
use crate::Result;
use crate::ir::{Attribute, Constant, Graph, Node, attributes};
use crate::passes::{Outcome, Pass, Patch};
use crate::shapes::Dim;

pub(super) struct MirrorPoolPads;

impl Pass for MirrorPoolPads {
    fn name(&self) -> &'static str {
        "mirror_pool_pads"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let mut patch = Patch::of(graph);
        let mut reason = "no MaxPool has pads".to_string();
        for (index, pool) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is("MaxPool")) {
            let (Some(x), Some(pads)) = (pool.input(0), pads(pool)) else { continue };
            let value = graph.value(x);
            let Some(sides) = value.shape.get(2..).filter(|sides| mirrors(pool, sides, &pads)) else {
                reason = format!("{}: its pads are half of its kernel or more, or reach across a side", pool.label());
                continue;
            };
            let (begin, end) = pads.split_at(sides.len());
            let full = [&[0, 0], begin, &[0, 0], end].concat();
            let wider = full.split_at(value.shape.len());
            let wider = wider.0.iter().zip(wider.1).map(|(begin, end)| begin + end);
            let padded: Vec<Dim> = value.shape.iter().zip(wider).map(|(size, more)| size.plus(more)).collect();
            let mut wiring = Wiring::of(graph, &mut patch, pool);
            let widths = wiring.constant(Constant::i64s(&full));
            let mode = attributes([("mode", "reflect".into())]);
            let mirrored = wiring.apply("Pad", &[x, widths], (value.dtype, &padded), mode);
            let mut rest = pool.attributes.clone();
            rest.remove("pads");
            wiring.finish(index, "MaxPool", &[mirrored], rest);
        }
        Ok(if patch.is_empty() { Outcome::Unchanged(reason) } else { Outcome::Changed(patch) })
    }
}

/// The pads, if there are any.
fn pads(pool: &Node) -> Option<Vec<i64>> {
    match pool.attributes.get("pads") {
        Some(Attribute::Ints(pads)) if pads.iter().any(|pad| *pad != 0) => Some(pads.clone()),
        _ => None,
    }
}

/// Whether what a mirror shows beyond an edge is in every window that reaches beyond it.
fn mirrors(pool: &Node, sides: &[Dim], pads: &[i64]) -> bool {
    let Some(Attribute::Ints(kernel)) = pool.attributes.get("kernel_shape") else { return false };
    let is = |name: &str, plain: i64| match pool.attributes.get(name) {
        Some(Attribute::Int(value)) => *value == plain,
        Some(Attribute::Ints(values)) => values.iter().all(|value| *value == plain),
        Some(_) => false,
        None => true,
    };
    let plain = pool.outputs.len() == 1 && is("ceil_mode", 0) && is("dilations", 1);
    plain
        && pads.len() == 2 * sides.len()
        && sides.iter().enumerate().all(|(axis, side)| {
            let widest = pads[axis].max(pads[sides.len() + axis]);
            kernel.get(axis).is_some_and(|kernel| 2 * widest < *kernel) && side.fixed().is_none_or(|side| side > widest)
        })
}
