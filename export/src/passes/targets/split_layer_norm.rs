//! `LayerNormalization(x, γ, β)` of the last axis → `γ · (x - mean(x)) / √(mean((x - mean(x))²) + ε) + β`.

use super::wiring::Wiring;
use crate::Result;
use crate::ir::{Attribute, Attributes, Constant, ElementType, Graph, Node, Value, ValueId, attributes};
use crate::passes::{Outcome, Pass, Patch};
use crate::shapes::Dim;

pub(super) struct SplitLayerNorm;

impl Pass for SplitLayerNorm {
    fn name(&self) -> &'static str {
        "split_layer_norm"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let mut patch = Patch::of(graph);
        let mut reason = "there is no LayerNormalization".to_string();
        for (index, norm) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is("LayerNormalization")) {
            let (Some(x), Some(scale)) = (norm.input(0), norm.input(1)) else { continue };
            let value = graph.value(x);
            if norm.outputs.len() != 1 || !is_last(norm, value.shape.len()) {
                reason = format!("{}: it is over more than the last axis, or its mean is read", norm.label());
                continue;
            }
            split(Wiring::of(graph, &mut patch, norm), index, value, (x, scale, norm.input(2)), epsilon(norm));
        }
        Ok(if patch.is_empty() { Outcome::Unchanged(reason) } else { Outcome::Changed(patch) })
    }
}

fn split(
    mut wiring: Wiring<'_>,
    index: usize,
    value: &Value,
    (x, scale, shift): (ValueId, ValueId, Option<ValueId>),
    epsilon: f64,
) {
    let none = Attributes::new;
    let mut narrow = value.shape.clone();
    narrow.pop();
    narrow.push(Dim::Fixed(1));
    let (full, narrow) = ((value.dtype, &value.shape[..]), (value.dtype, &narrow[..]));
    let mean = reduce(&mut wiring, x, value.shape.len(), narrow);
    let centred = wiring.apply("Sub", &[x, mean], full, none());
    let square = wiring.apply("Mul", &[centred, centred], full, none());
    let variance = reduce(&mut wiring, square, value.shape.len(), narrow);
    let epsilon = wiring.number(value.dtype, epsilon);
    let safe = wiring.apply("Add", &[variance, epsilon], narrow, none());
    let deviation = wiring.apply("Sqrt", &[safe], narrow, none());
    let normal = wiring.apply("Div", &[centred, deviation], full, none());
    match shift {
        None => wiring.finish(index, "Mul", &[normal, scale], none()),
        Some(shift) => {
            let scaled = wiring.apply("Mul", &[normal, scale], full, none());
            wiring.finish(index, "Add", &[scaled, shift], none());
        }
    }
}

/// The mean over the last axis, which stays with a size of one. Its axes are an input from opset 18 on.
fn reduce(wiring: &mut Wiring<'_>, x: ValueId, rank: usize, narrow: (ElementType, &[Dim])) -> ValueId {
    let last = rank as i64 - 1;
    if wiring.graph.opset < 18 {
        return wiring.apply(
            "ReduceMean",
            &[x],
            narrow,
            attributes([("axes", vec![last].into()), ("keepdims", 1.into())]),
        );
    }
    let axes = wiring.constant(Constant::i64s(&[last]));
    wiring.apply("ReduceMean", &[x, axes], narrow, attributes([("keepdims", 1.into())]))
}

fn is_last(norm: &Node, rank: usize) -> bool {
    match norm.attributes.get("axis") {
        Some(Attribute::Int(axis)) => *axis == -1 || *axis == rank as i64 - 1,
        _ => true,
    }
}

fn epsilon(norm: &Node) -> f64 {
    match norm.attributes.get("epsilon") {
        Some(Attribute::Float(epsilon)) => f64::from(*epsilon),
        _ => 1e-5,
    }
}
