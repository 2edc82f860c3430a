//! Who makes a value and who reads it.

use super::{Graph, ValueId};

/// Producers and consumers of every value of a graph.
pub struct Uses {
    producer: Vec<Option<usize>>,
    consumers: Vec<Vec<usize>>,
    returned: Vec<bool>,
}

impl Uses {
    /// Looks through the graph once.
    pub fn of(graph: &Graph) -> Self {
        let count = graph.values.len();
        let mut uses =
            Self { producer: vec![None; count], consumers: vec![vec![]; count], returned: vec![false; count] };
        for (index, node) in graph.nodes.iter().enumerate() {
            node.outputs.iter().for_each(|id| uses.producer[id.0] = Some(index));
            node.inputs.iter().flatten().for_each(|id| uses.consumers[id.0].push(index));
        }
        graph.outputs.iter().for_each(|output| uses.returned[output.value.0] = true);
        uses
    }

    /// The node that computes the value.
    pub fn producer(&self, id: ValueId) -> Option<usize> {
        self.producer[id.0]
    }

    /// The nodes that read the value, once for every input that reads it.
    pub fn consumers(&self, id: ValueId) -> &[usize] {
        &self.consumers[id.0]
    }

    /// Whether the graph returns the value.
    pub fn is_output(&self, id: ValueId) -> bool {
        self.returned[id.0]
    }

    /// Whether exactly one node input reads the value and the graph does not return it.
    pub fn has_one_consumer(&self, id: ValueId) -> bool {
        self.consumers[id.0].len() == 1 && !self.returned[id.0]
    }

    /// Whether nobody needs the value.
    pub fn is_unused(&self, id: ValueId) -> bool {
        self.consumers[id.0].is_empty() && !self.returned[id.0]
    }
}
