//! Looks up the graph from a node, as a formula is read from its last operation.

use super::Patch;
use crate::ir::{Attribute, Constant, Graph, Node, Uses, Value, ValueId};
use crate::shapes::Dim;

/// A graph with its uses, and the questions that rewrites ask.
pub(super) struct Pattern<'g> {
    pub graph: &'g Graph,
    pub uses: Uses,
}

impl<'g> Pattern<'g> {
    pub fn of(graph: &'g Graph) -> Self {
        Self { graph, uses: Uses::of(graph) }
    }

    /// The node that makes a value, if it is this operator.
    pub fn made_by(&self, id: ValueId, op: &str) -> Option<&'g Node> {
        let node = &self.graph.nodes[self.uses.producer(id)?];
        node.is(op).then_some(node)
    }

    /// The node that makes a value for one reader alone, if it is this operator.
    pub fn made_for_one(&self, id: ValueId, op: &str) -> Option<&'g Node> {
        self.made_by(id, op).filter(|_| self.uses.has_one_consumer(id))
    }

    /// The number in a constant of one element.
    pub fn scalar(&self, id: ValueId) -> Option<f64> {
        let constant = self.graph.constant(id)?;
        match constant.dims().iter().product::<usize>() {
            1 => constant.to_f64s()?.first().copied(),
            _ => None,
        }
    }

    /// The other operand of a binary node whose one operand is about this number.
    pub fn other_than(&self, node: &Node, number: f64) -> Option<ValueId> {
        let (left, right) = operands(node)?;
        let is = |id: ValueId| self.scalar(id).is_some_and(|found| about(found, number));
        if is(right) {
            Some(left)
        } else if is(left) {
            Some(right)
        } else {
            None
        }
    }

    /// Both orders of the operands of a node that may swap them.
    pub fn orders(&self, node: &Node) -> impl Iterator<Item = (ValueId, ValueId)> + use<> {
        operands(node).into_iter().flat_map(|(left, right)| [(left, right), (right, left)])
    }

    /// The axes of a reduction, as an attribute or as a constant input, if it keeps its axes.
    pub fn reduced_axes(&self, node: &Node) -> Option<Vec<i64>> {
        if node.attributes.get("keepdims").is_some_and(|keep| *keep != Attribute::Int(1)) {
            return None;
        }
        self.axes(node)
    }

    /// The axes of a reduction, as an attribute or as a constant input.
    pub fn axes(&self, node: &Node) -> Option<Vec<i64>> {
        match (node.attributes.get("axes"), node.input(1)) {
            (Some(Attribute::Ints(axes)), None) => Some(axes.clone()),
            (None, Some(axes)) => self.graph.constant(axes).and_then(Constant::to_i64),
            _ => None,
        }
    }

    /// A value with one number for every place of the last axis of `like`, as a vector. Leading axes of size one go, for
    /// which the value must be a constant.
    pub fn vector(&self, patch: &mut Patch, id: ValueId, like: ValueId) -> Option<ValueId> {
        let (value, full) = (self.graph.value(id), self.graph.value(like));
        let (last, leading) = value.shape.split_last()?;
        if full.shape.last() != Some(last) || leading.iter().any(|size| *size != Dim::Fixed(1)) {
            return None;
        }
        if leading.is_empty() {
            return Some(id);
        }
        let constant = value.constant.as_ref()?;
        let vector = constant.reshaped(constant.dims().last().copied().into_iter().collect());
        Some(patch.add_value(Value::constant(vector, value.name.clone())))
    }

    /// The number of axes of a value.
    pub fn rank(&self, id: ValueId) -> usize {
        self.graph.value(id).shape.len()
    }
}

/// The two operands of a node.
pub(super) fn operands(node: &Node) -> Option<(ValueId, ValueId)> {
    Some((node.input(0)?, node.input(1)?))
}

/// Whether two numbers are the same up to the rounding of 32-bit floats.
pub(super) fn about(found: f64, number: f64) -> bool {
    (found - number).abs() <= 1e-6 * number.abs()
}
