//! `Clip(x, low, high)` → `Min(Max(x, low), high)`.

use super::wiring::Wiring;
use crate::Result;
use crate::ir::{Attributes, Graph};
use crate::passes::{Outcome, Pass, Patch};

pub(super) struct SplitClip;

impl Pass for SplitClip {
    fn name(&self) -> &'static str {
        "split_clip"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let mut patch = Patch::of(graph);
        for (index, clip) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is("Clip")) {
            let Some(x) = clip.input(0) else { continue };
            let out = graph.value(clip.outputs[0]);
            let mut wiring = Wiring::of(graph, &mut patch, clip);
            match (clip.input(1), clip.input(2)) {
                (Some(low), Some(high)) => {
                    let raised = wiring.apply("Max", &[x, low], (out.dtype, &out.shape), Attributes::new());
                    wiring.finish(index, "Min", &[raised, high], Attributes::new());
                }
                (Some(low), None) => wiring.finish(index, "Max", &[x, low], Attributes::new()),
                (None, Some(high)) => wiring.finish(index, "Min", &[x, high], Attributes::new()),
                (None, None) => wiring.finish(index, "Identity", &[x], Attributes::new()),
            }
        }
        if patch.is_empty() {
            return Ok(Outcome::Unchanged("there is no Clip".to_string()));
        }
        Ok(Outcome::Changed(patch))
    }
}
