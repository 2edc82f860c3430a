//! Edits of a graph.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::{Graph, Node, Value, ValueId};

/// Edits that a pass asks for.
#[derive(Default)]
pub struct Patch {
    pub(super) first_new: usize,
    pub(super) values: Vec<Value>,
    pub(super) replaced: BTreeMap<usize, Vec<Node>>,
    pub(super) redirected: BTreeMap<ValueId, ValueId>,
    pub(super) fired: Vec<String>,
}

impl Patch {
    /// A patch of this graph.
    pub fn of(graph: &Graph) -> Self {
        Self { first_new: graph.values.len(), ..Self::default() }
    }

    /// Adds a value.
    pub fn add_value(&mut self, value: Value) -> ValueId {
        self.values.push(value);
        ValueId(self.first_new + self.values.len() - 1)
    }

    /// Puts these nodes in the place of the node at `index`; none removes it.
    pub fn replace(&mut self, index: usize, nodes: Vec<Node>) {
        self.replaced.insert(index, nodes);
    }

    /// Lets everything that reads `from` read `to`.
    pub fn redirect(&mut self, from: ValueId, to: ValueId) {
        self.redirected.insert(from, to);
    }

    /// Notes where the pass fired, for the report.
    pub fn fired(&mut self, place: impl Into<String>) {
        self.fired.push(place.into());
    }

    /// Whether the node is already replaced by this patch.
    pub fn touches(&self, index: usize) -> bool {
        self.replaced.contains_key(&index)
    }

    /// Whether there is nothing to apply.
    pub fn is_empty(&self) -> bool {
        self.replaced.is_empty() && self.redirected.is_empty()
    }

    /// Applies the edits.
    pub(super) fn apply(mut self, graph: &mut Graph) {
        graph.values.append(&mut self.values);
        let nodes = std::mem::take(&mut graph.nodes);
        for (index, node) in nodes.into_iter().enumerate() {
            match self.replaced.remove(&index) {
                Some(nodes) => graph.nodes.extend(nodes),
                None => graph.nodes.push(node),
            }
        }
        let target = |id: ValueId| {
            let mut seen = BTreeSet::new();
            let mut id = id;
            while let Some(next) = self.redirected.get(&id) {
                if !seen.insert(id) {
                    break;
                }
                id = *next;
            }
            id
        };
        for node in &mut graph.nodes {
            node.inputs.iter_mut().flatten().for_each(|id| *id = target(*id));
        }
        graph.outputs.iter_mut().for_each(|output| output.value = target(output.value));
    }
}
