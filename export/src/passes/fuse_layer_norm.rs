//! `γ · (x - mean(x)) / √(mean((x - mean(x))²) + ε) + β` over the last axis → `LayerNormalization(x, γ, β)`, opset 17.

use super::pattern::{Pattern, operands};
use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::ir::{Graph, Node, ValueId, attributes};

pub(super) struct FuseLayerNorm;

impl Pass for FuseLayerNorm {
    fn name(&self) -> &'static str {
        "fuse_layer_norm"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        if graph.opset < 17 {
            return Ok(Outcome::Unchanged("LayerNormalization is of opset 17".to_string()));
        }
        let pattern = Pattern::of(graph);
        let mut patch = Patch::of(graph);
        let mut reason = "no sum ends a normalisation of the last axis".to_string();
        for (index, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is("Add")) {
            let Some(norm) = pattern.orders(node).find_map(|(scaled, shift)| layer_norm(&pattern, scaled, shift))
            else {
                continue;
            };
            let vectors = [norm.scale, norm.shift].map(|id| pattern.vector(&mut patch, id, norm.input));
            let [Some(scale), Some(shift)] = vectors else {
                reason = format!("{}: scale or shift is no vector of the last axis", node.label());
                continue;
            };
            let epsilon = (norm.epsilon as f32).into();
            let fused = Node {
                op: "LayerNormalization".to_string(),
                inputs: vec![Some(norm.input), Some(scale), Some(shift)],
                attributes: attributes([("axis", (-1).into()), ("epsilon", epsilon)]),
                ..node.clone()
            };
            patch.replace(index, vec![fused]);
            patch.fired(node.label());
        }
        Ok(if patch.is_empty() { Outcome::Unchanged(reason) } else { Outcome::Changed(patch) })
    }
}

struct Norm {
    input: ValueId,
    scale: ValueId,
    shift: ValueId,
    epsilon: f64,
}

fn layer_norm(pattern: &Pattern<'_>, scaled: ValueId, shift: ValueId) -> Option<Norm> {
    let product = pattern.made_for_one(scaled, "Mul")?;
    pattern.orders(product).find_map(|(normal, scale)| {
        let quotient = pattern.made_for_one(normal, "Div")?;
        let (centred, deviation) = operands(quotient)?;
        let difference = pattern.made_by(centred, "Sub")?;
        let (input, mean) = operands(difference)?;
        let mean = pattern.made_for_one(mean, "ReduceMean")?;
        let root = pattern.made_for_one(deviation, "Sqrt")?;
        let safe = pattern.made_for_one(root.input(0)?, "Add")?;
        let (variance, epsilon) =
            pattern.orders(safe).find_map(|(variance, epsilon)| Some((variance, pattern.scalar(epsilon)?)))?;
        let variance = pattern.made_for_one(variance, "ReduceMean")?;
        let square = pattern.made_for_one(variance.input(0)?, "Mul")?;
        let fits = mean.input(0) == Some(input)
            && operands(square) == Some((centred, centred))
            && pattern.uses.consumers(centred).len() == 3
            && !pattern.uses.is_output(centred)
            && is_last(pattern, mean, input)
            && is_last(pattern, variance, input);
        fits.then_some(Norm { input, scale, shift, epsilon })
    })
}

/// Whether a reduction is over the last axis of `input` alone.
pub(super) fn is_last(pattern: &Pattern<'_>, reduction: &Node, input: ValueId) -> bool {
    let last = pattern.rank(input) as i64 - 1;
    matches!(pattern.reduced_axes(reduction).as_deref(), Some([axis]) if *axis == last || *axis == -1)
}
