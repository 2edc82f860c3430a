//! `γ · x / √(mean(x²) + ε)` over the last axis → `RMSNormalization(x, γ)`, opset 23.

use super::fuse_layer_norm::is_last;
use super::pattern::{Pattern, operands};
use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::ir::{Graph, Node, ValueId, attributes};

pub(super) struct FuseRmsNorm;

impl Pass for FuseRmsNorm {
    fn name(&self) -> &'static str {
        "fuse_rms_norm"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        if graph.opset < 23 {
            return Ok(Outcome::Unchanged("RMSNormalization is of opset 23".to_string()));
        }
        let pattern = Pattern::of(graph);
        let mut patch = Patch::of(graph);
        let mut reason = "no product ends a normalisation of the last axis".to_string();
        for (index, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is("Mul")) {
            let norm = pattern.orders(node).find_map(|(normal, scale)| rms_norm(&pattern, normal, scale));
            let Some((input, scale, epsilon)) = norm else { continue };
            let Some(scale) = pattern.vector(&mut patch, scale, input) else {
                reason = format!("{}: the scale is no vector of the last axis", node.label());
                continue;
            };
            let fused = Node {
                op: "RMSNormalization".to_string(),
                inputs: vec![Some(input), Some(scale)],
                attributes: attributes([("axis", (-1).into()), ("epsilon", (epsilon as f32).into())]),
                ..node.clone()
            };
            patch.replace(index, vec![fused]);
            patch.fired(node.label());
        }
        Ok(if patch.is_empty() { Outcome::Unchanged(reason) } else { Outcome::Changed(patch) })
    }
}

fn rms_norm(pattern: &Pattern<'_>, normal: ValueId, scale: ValueId) -> Option<(ValueId, ValueId, f64)> {
    let quotient = pattern.made_for_one(normal, "Div")?;
    let (input, root) = operands(quotient)?;
    let root = pattern.made_for_one(root, "Sqrt")?;
    let safe = pattern.made_for_one(root.input(0)?, "Add")?;
    let (mean, epsilon) = pattern.orders(safe).find_map(|(mean, epsilon)| Some((mean, pattern.scalar(epsilon)?)))?;
    let mean = pattern.made_for_one(mean, "ReduceMean")?;
    let square = pattern.made_for_one(mean.input(0)?, "Mul")?;
    let fits = operands(square) == Some((input, input)) && is_last(pattern, mean, input);
    fits.then_some((input, scale, epsilon))
}
