//! Values, nodes and the graph that holds them.

use std::sync::Arc;

use super::{Attributes, Constant, ElementType, Verbatim};
use crate::shapes::{Dim, Symbol};

/// The opset that most runtimes read well.
pub const DEFAULT_OPSET: i64 = 17;

/// The index of a value in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub(crate) usize);

/// A tensor that flows through the graph.
#[derive(Clone, Debug)]
pub struct Value {
    /// The name a user gave it: of an input, or the module path of a parameter, or any name in a file that was read.
    /// Other values are named when written.
    pub name: Option<String>,
    /// Element type.
    pub dtype: ElementType,
    /// Symbolic shape.
    pub shape: Vec<Dim>,
    /// The numbers, when they are known at compile time.
    pub constant: Option<Constant>,
}

/// An ONNX operator applied to values.
#[derive(Clone, Debug)]
pub struct Node {
    /// Name of the operator.
    pub op: String,
    /// Domain of the operator, empty for ONNX's own.
    pub domain: String,
    /// Inputs; an optional one that is left out is `None`.
    pub inputs: Vec<Option<ValueId>>,
    /// Outputs.
    pub outputs: Vec<ValueId>,
    /// Attributes.
    pub attributes: Attributes,
    /// Path of the source module, as far as it is known.
    pub path: String,
    /// The name in the file that the node was read from; others are named when written.
    pub name: Option<String>,
    /// What the file holds, where no pass may change the node. Its inputs end with those that its subgraphs read.
    pub verbatim: Option<Arc<Verbatim>>,
}

/// A value the graph returns under a name.
#[derive(Clone, Debug)]
pub struct GraphOutput {
    /// Name chosen by the caller.
    pub name: String,
    /// The value.
    pub value: ValueId,
}

/// A computation: nodes in an order in which they can run.
#[derive(Clone, Debug)]
pub struct Graph {
    /// Every value, indexed by [`ValueId`].
    pub values: Vec<Value>,
    /// The nodes in topological order.
    pub nodes: Vec<Node>,
    /// Inputs the caller feeds.
    pub inputs: Vec<ValueId>,
    /// Outputs the caller gets.
    pub outputs: Vec<GraphOutput>,
    /// The dynamic sizes.
    pub symbols: Vec<Symbol>,
    /// The version of ONNX's operators that the nodes are written for.
    pub opset: i64,
}

impl Default for Graph {
    fn default() -> Self {
        Self { values: vec![], nodes: vec![], inputs: vec![], outputs: vec![], symbols: vec![], opset: DEFAULT_OPSET }
    }
}

impl Graph {
    /// The value behind an id.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.0]
    }

    /// The numbers of a value, if they are known at compile time.
    pub fn constant(&self, id: ValueId) -> Option<&Constant> {
        self.value(id).constant.as_ref()
    }

    /// Adds a value.
    pub fn push_value(&mut self, value: Value) -> ValueId {
        self.values.push(value);
        ValueId(self.values.len() - 1)
    }

    /// Bytes of all constants that nodes or outputs use.
    pub fn constant_bytes(&self) -> usize {
        let mut used: Vec<ValueId> = self.nodes.iter().flat_map(|node| node.inputs.iter().flatten().copied()).collect();
        used.extend(self.outputs.iter().map(|output| output.value));
        used.sort();
        used.dedup();
        used.into_iter().filter_map(|id| self.constant(id)).map(|constant| constant.bytes().len()).sum()
    }
}

impl Value {
    /// A value that a node computes.
    pub fn computed(dtype: ElementType, shape: Vec<Dim>) -> Self {
        Self { name: None, dtype, shape, constant: None }
    }

    /// A value whose numbers are known.
    pub fn constant(constant: Constant, name: Option<String>) -> Self {
        let shape = constant.dims().iter().map(|&size| Dim::Fixed(size as i64)).collect();
        Self { name, dtype: constant.dtype(), shape, constant: Some(constant) }
    }

    /// The shape as numbers, if no axis is dynamic.
    pub fn fixed_shape(&self) -> Option<Vec<usize>> {
        self.shape.iter().map(|dim| dim.fixed().and_then(|size| usize::try_from(size).ok())).collect()
    }
}

impl Node {
    /// A node of ONNX's own domain whose inputs are all present.
    pub fn new(
        op: &str,
        inputs: &[ValueId],
        outputs: Vec<ValueId>,
        attributes: Attributes,
        path: impl Into<String>,
    ) -> Self {
        Self {
            op: op.to_string(),
            domain: String::new(),
            inputs: inputs.iter().copied().map(Some).collect(),
            outputs,
            attributes,
            path: path.into(),
            name: None,
            verbatim: None,
        }
    }

    /// The input at a position, if it is there.
    pub fn input(&self, index: usize) -> Option<ValueId> {
        self.inputs.get(index).copied().flatten()
    }

    /// Whether the node is this operator of ONNX's own domain.
    pub fn is(&self, op: &str) -> bool {
        self.is_known() && self.op == op
    }

    /// Whether passes know what the node does: it is of ONNX's own domain and has nothing that they cannot read.
    pub fn is_known(&self) -> bool {
        self.domain.is_empty() && self.verbatim.is_none()
    }

    /// Whether the node gives other numbers every time.
    pub fn rolls_dice(&self) -> bool {
        self.op.starts_with("Random") || ["Bernoulli", "Multinomial", "Dropout"].contains(&self.op.as_str())
    }

    /// Whether two nodes like this one may become one, as far as the passes know.
    pub fn is_shareable(&self) -> bool {
        self.verbatim.is_none() && !self.rolls_dice()
    }

    /// What errors and reports call the node.
    pub fn label(&self) -> String {
        if self.path.is_empty() { self.op.clone() } else { format!("{}/{}", self.path, self.op) }
    }
}
