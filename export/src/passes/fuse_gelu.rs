//! `x / 2 · (1 + erf(x / √2))` and `x / 2 · (1 + tanh(√(2 / π) · (x + 0.044715 · x³)))` → `Gelu(x)`, opset 20.

use std::f64::consts::{FRAC_2_PI, SQRT_2};

use super::pattern::{Pattern, about, operands};
use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::ir::{Graph, Node, ValueId, attributes};

pub(super) struct FuseGelu;

impl Pass for FuseGelu {
    fn name(&self) -> &'static str {
        "fuse_gelu"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        if graph.opset < 20 {
            return Ok(Outcome::Unchanged("Gelu is of opset 20".to_string()));
        }
        let pattern = Pattern::of(graph);
        let mut patch = Patch::of(graph);
        for (index, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is("Mul")) {
            let Some((input, approximate)) = gelu(&pattern, node) else { continue };
            let fused = Node {
                op: "Gelu".to_string(),
                inputs: vec![Some(input)],
                attributes: attributes([("approximate", approximate.into())]),
                ..node.clone()
            };
            patch.replace(index, vec![fused]);
            patch.fired(node.label());
        }
        if patch.is_empty() {
            return Ok(Outcome::Unchanged("no product ends a GELU".to_string()));
        }
        Ok(Outcome::Changed(patch))
    }
}

/// The product of the input, one half and the shifted function, in any order.
pub(super) fn gelu(pattern: &Pattern<'_>, node: &Node) -> Option<(ValueId, &'static str)> {
    if let Some(product) = pattern.other_than(node, 0.5) {
        let product = pattern.made_for_one(product, "Mul")?;
        return pattern.orders(product).find_map(|(input, shifted)| kind(pattern, input, shifted));
    }
    pattern.orders(node).find_map(|(first, second)| {
        let half = pattern.made_for_one(first, "Mul")?;
        let other = pattern.other_than(half, 0.5)?;
        // Either of the two may be the halved one.
        kind(pattern, other, second).or_else(|| kind(pattern, second, other))
    })
}

/// Which function of `input` the value is one more than.
fn kind(pattern: &Pattern<'_>, input: ValueId, shifted: ValueId) -> Option<(ValueId, &'static str)> {
    let sum = pattern.made_for_one(shifted, "Add")?;
    let function = pattern.other_than(sum, 1.0)?;
    if let Some(erf) = pattern.made_for_one(function, "Erf") {
        return is_scaled(pattern, erf.input(0)?, input).then_some((input, "none"));
    }
    let tanh = pattern.made_for_one(function, "Tanh")?;
    is_cubic(pattern, tanh.input(0)?, input).then_some((input, "tanh"))
}

/// Whether the value is `input / √2`.
fn is_scaled(pattern: &Pattern<'_>, value: ValueId, input: ValueId) -> bool {
    let divided = pattern.made_for_one(value, "Div").and_then(operands);
    let divided = divided.is_some_and(|(left, right)| {
        left == input && pattern.scalar(right).is_some_and(|number| about(number, SQRT_2))
    });
    let multiplied = pattern.made_for_one(value, "Mul").and_then(|product| pattern.other_than(product, 1.0 / SQRT_2));
    divided || multiplied == Some(input)
}

/// Whether the value is `√(2 / π) · (input + 0.044715 · input³)`.
fn is_cubic(pattern: &Pattern<'_>, value: ValueId, input: ValueId) -> bool {
    let sum = pattern
        .made_for_one(value, "Mul")
        .and_then(|product| pattern.other_than(product, FRAC_2_PI.sqrt()))
        .and_then(|sum| pattern.made_for_one(sum, "Add"));
    let Some(sum) = sum else { return false };
    pattern.orders(sum).any(|(first, second)| {
        let cube = pattern.made_for_one(second, "Mul").and_then(|product| pattern.other_than(product, 0.044715));
        first == input && cube.is_some_and(|cube| is_cube(pattern, cube, input))
    })
}

fn is_cube(pattern: &Pattern<'_>, value: ValueId, input: ValueId) -> bool {
    let power = pattern.made_for_one(value, "Pow").and_then(operands);
    power.is_some_and(|(base, exponent)| base == input && pattern.scalar(exponent) == Some(3.0))
}
