//! Two nodes that compute the same from the same become one: `f(x), f(x)` → `f(x)`.

use std::collections::BTreeMap;

use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::ir::{Graph, Node, ValueId};

/// Domain, operator and inputs of a node.
type Call<'a> = (&'a str, &'a str, &'a [Option<ValueId>]);

pub(super) struct ShareSubexpressions;

impl Pass for ShareSubexpressions {
    fn name(&self) -> &'static str {
        "share_subexpressions"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let mut seen: BTreeMap<Call<'_>, Vec<&Node>> = BTreeMap::new();
        let mut patch = Patch::of(graph);
        for (index, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is_shareable()) {
            let twins = seen.entry((&node.domain, &node.op, &node.inputs)).or_default();
            match twins.iter().find(|twin| is_same(twin, node)) {
                Some(twin) => {
                    patch.replace(index, vec![]);
                    node.outputs.iter().zip(&twin.outputs).for_each(|(from, to)| patch.redirect(*from, *to));
                    patch.fired(node.label());
                }
                None => twins.push(node),
            }
        }
        if patch.is_empty() {
            return Ok(Outcome::Unchanged("no two nodes compute the same".to_string()));
        }
        Ok(Outcome::Changed(patch))
    }
}

fn is_same(twin: &Node, node: &Node) -> bool {
    twin.attributes == node.attributes && twin.outputs.len() == node.outputs.len()
}
