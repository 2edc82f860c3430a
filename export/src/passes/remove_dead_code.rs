//! Nodes whose outputs nobody reads go away.

use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::ir::Graph;

pub(super) struct RemoveDeadCode;

impl Pass for RemoveDeadCode {
    fn name(&self) -> &'static str {
        "remove_dead_code"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let mut needed = vec![false; graph.values.len()];
        graph.outputs.iter().for_each(|output| needed[output.value.0] = true);
        let mut patch = Patch::of(graph);
        for (index, node) in graph.nodes.iter().enumerate().rev() {
            if node.outputs.iter().any(|id| needed[id.0]) {
                node.inputs.iter().flatten().for_each(|id| needed[id.0] = true);
            } else {
                patch.replace(index, vec![]);
                patch.fired(node.label());
            }
        }
        if patch.is_empty() {
            return Ok(Outcome::Unchanged("every node is needed".to_string()));
        }
        Ok(Outcome::Changed(patch))
    }
}
