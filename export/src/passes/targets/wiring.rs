//! New nodes in the place of one.

use crate::ir::{Attributes, Constant, ElementType, Graph, Node, Value, ValueId};
use crate::passes::Patch;
use crate::shapes::Dim;

/// Wires the parts of one node; values that lie between them are new.
pub(super) struct Wiring<'a> {
    pub graph: &'a Graph,
    pub patch: &'a mut Patch,
    whole: &'a Node,
    nodes: Vec<Node>,
}

impl<'a> Wiring<'a> {
    /// Starts the parts of this node.
    pub fn of(graph: &'a Graph, patch: &'a mut Patch, whole: &'a Node) -> Self {
        Self { graph, patch, whole, nodes: vec![] }
    }

    /// A value of this type and shape out of a new node.
    pub fn apply(
        &mut self,
        op: &str,
        inputs: &[ValueId],
        (dtype, shape): (ElementType, &[Dim]),
        attributes: Attributes,
    ) -> ValueId {
        let output = self.patch.add_value(Value::computed(dtype, shape.to_vec()));
        self.nodes.push(Node::new(op, inputs, vec![output], attributes, self.whole.path.clone()));
        output
    }

    /// A constant.
    pub fn constant(&mut self, constant: Constant) -> ValueId {
        self.patch.add_value(Value::constant(constant, None))
    }

    /// A single number.
    pub fn number(&mut self, dtype: ElementType, value: f64) -> ValueId {
        self.constant(Constant::floats(dtype, vec![], [value]))
    }

    /// Ends with the node that gives what the whole one gave, and puts all of them in its place at `index`.
    pub fn finish(mut self, index: usize, op: &str, inputs: &[ValueId], attributes: Attributes) {
        let Node { outputs, path, name, .. } = self.whole.clone();
        self.nodes.push(Node { name, ..Node::new(op, inputs, outputs, attributes, path) });
        self.patch.replace(index, self.nodes);
        self.patch.fired(self.whole.label());
    }
}
