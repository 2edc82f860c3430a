//! `BatchNormalization(x)` → `x · s + t` with `s = gamma / √(var + ε)` and `t = beta - mean · s`.

use super::wiring::Wiring;
use crate::Result;
use crate::ir::{Attribute, Attributes, Constant, ElementType, Graph, Node};
use crate::passes::{Outcome, Pass, Patch};

pub(super) struct SplitBatchNorm;

impl Pass for SplitBatchNorm {
    fn name(&self) -> &'static str {
        "split_batch_norm"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let mut patch = Patch::of(graph);
        let mut reason = "there is no BatchNormalization".to_string();
        for (index, norm) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is("BatchNormalization")) {
            let (Some(x), Some((scale, shift))) = (norm.input(0), affine(graph, norm)) else {
                reason = format!("{}: it is in training, or a parameter is no constant of 32-bit floats", norm.label());
                continue;
            };
            let out = graph.value(norm.outputs[0]);
            let dims: Vec<usize> = (0..out.shape.len()).map(|axis| if axis == 1 { scale.len() } else { 1 }).collect();
            let mut wiring = Wiring::of(graph, &mut patch, norm);
            let [scale, shift] =
                [scale, shift].map(|values| wiring.constant(Constant::floats(ElementType::F32, dims.clone(), values)));
            let scaled = wiring.apply("Mul", &[x, scale], (out.dtype, &out.shape), Attributes::new());
            wiring.finish(index, "Add", &[scaled, shift], Attributes::new());
        }
        Ok(if patch.is_empty() { Outcome::Unchanged(reason) } else { Outcome::Changed(patch) })
    }
}

/// Scale and shift of every channel.
fn affine(graph: &Graph, norm: &Node) -> Option<(Vec<f64>, Vec<f64>)> {
    let numbers = |position: usize| graph.constant(norm.input(position)?)?.to_f32();
    let (gamma, beta, mean, variance) = (numbers(1)?, numbers(2)?, numbers(3)?, numbers(4)?);
    let epsilon = match norm.attributes.get("epsilon") {
        Some(Attribute::Float(epsilon)) => f64::from(*epsilon),
        _ => 1e-5,
    };
    let scale: Vec<f64> =
        gamma.iter().zip(variance).map(|(gamma, var)| f64::from(*gamma) / (f64::from(var) + epsilon).sqrt()).collect();
    let shift = beta.iter().zip(mean).zip(&scale).map(|((beta, mean), s)| f64::from(*beta) - f64::from(mean) * s);
    let shift = shift.collect();
    (norm.outputs.len() == 1).then_some((scale, shift))
}
