//! What a lowering works with: the graph so far, and the operation as every trace shows it.

use std::collections::BTreeMap;

use burn::tensor::TensorData;
use burn_ir::{OperationIr, ScalarIr, TensorId, TensorIr};

use crate::ir::{Attributes, Constant, ElementType, Graph, Node, Number, Value, ValueId};
use crate::shapes::{Dim, Ramp, Samples};
use crate::{Error, Result};

/// The place where a lowering wires its nodes.
pub struct Context<'a> {
    pub(super) graph: Graph,
    pub(super) bindings: BTreeMap<TensorId, ValueId>,
    pub(super) shapes: &'a BTreeMap<TensorId, Vec<Dim>>,
    pub(super) values: BTreeMap<TensorId, TensorData>,
    pub(super) ramps: &'a BTreeMap<TensorId, Ramp>,
    pub(super) parameters: &'a BTreeMap<TensorId, String>,
    pub(super) samples: &'a Samples,
    pub(super) sizes: BTreeMap<usize, ValueId>,
    pub(super) operations: &'a [OperationIr],
    pub(super) index: usize,
    pub(super) path: String,
    pub(super) name: String,
    pub(super) consumed: usize,
}

impl Context<'_> {
    /// The value of a tensor the operation reads.
    ///
    /// # Errors
    /// The tensor was never made, or its type has no counterpart.
    pub fn input(&mut self, tensor: &TensorIr) -> Result<ValueId> {
        if let Some(id) = self.bindings.get(&tensor.id) {
            return Ok(*id);
        }
        let id = self.constant_or_ramp(tensor.id)?;
        self.bindings.insert(tensor.id, id);
        Ok(id)
    }

    /// A tensor that no operation makes: numbers, or integers in equal steps that follow the sizes.
    pub(super) fn constant_or_ramp(&mut self, tensor: TensorId) -> Result<ValueId> {
        let Some(data) = self.values.remove(&tensor) else {
            return Err(self.unsupported(format!("tensor {tensor} is read before it is made")));
        };
        if let Some(ramp) = self.ramps.get(&tensor) {
            return self.ramp(ramp, ElementType::from_burn(data.dtype())?);
        }
        let name = self.parameters.get(&tensor).cloned();
        Ok(self.graph.push_value(Value::constant(Constant::from_burn(data)?, name)))
    }

    /// The symbolic shape of a tensor of the operation.
    pub fn shape(&self, tensor: &TensorIr) -> Vec<Dim> {
        self.shapes.get(&tensor.id).cloned().unwrap_or_default()
    }

    /// The name of the operation, such as `NumericFloat::CumSum`.
    pub fn operation(&self) -> &str {
        &self.name
    }

    /// The version of ONNX's operators that the graph is written for.
    pub fn opset(&self) -> i64 {
        self.graph.opset
    }

    /// The element type of a value.
    pub fn dtype(&self, id: ValueId) -> ElementType {
        self.graph.value(id).dtype
    }

    /// The symbolic shape of a value.
    pub fn value_shape(&self, id: ValueId) -> Vec<Dim> {
        self.graph.value(id).shape.clone()
    }

    /// The shape of a tensor as numbers.
    ///
    /// # Errors
    /// An axis is dynamic.
    pub fn fixed_shape(&self, tensor: &TensorIr, axes: std::ops::Range<usize>) -> Result<Vec<usize>> {
        let shape = self.shape(tensor);
        axes.map(|axis| {
            let size = shape.get(axis).and_then(Dim::fixed).and_then(|size| usize::try_from(size).ok());
            size.ok_or_else(|| self.unsupported(format!("axis {axis} must not be dynamic")))
        })
        .collect()
    }

    /// Adds a node and returns its output.
    pub fn node(
        &mut self,
        op: &str,
        inputs: &[ValueId],
        attributes: Attributes,
        dtype: ElementType,
        shape: Vec<Dim>,
    ) -> ValueId {
        let output = self.graph.push_value(Value::computed(dtype, shape));
        self.graph.nodes.push(Node::new(op, inputs, vec![output], attributes, self.path.clone()));
        output
    }

    /// Adds a node without attributes.
    pub fn apply(&mut self, op: &str, inputs: &[ValueId], dtype: ElementType, shape: &[Dim]) -> ValueId {
        self.node(op, inputs, Attributes::new(), dtype, shape.to_vec())
    }

    /// Adds a node of another domain than ONNX's own, in its first version, which keeps the type and the shape of its first
    /// input. Passes leave it as it is.
    pub fn node_of(&mut self, domain: &str, op: &str, inputs: &[ValueId], attributes: Attributes) -> ValueId {
        let output = self.same(op, inputs, attributes);
        if let Some(node) = self.graph.nodes.last_mut() {
            node.domain = domain.to_string();
        }
        output
    }

    /// Adds a node with optional inputs or several outputs.
    pub fn nodes(
        &mut self,
        op: &str,
        inputs: Vec<Option<ValueId>>,
        attributes: Attributes,
        outputs: Vec<(ElementType, Vec<Dim>)>,
    ) -> Vec<ValueId> {
        let outputs: Vec<ValueId> =
            outputs.into_iter().map(|(dtype, shape)| self.graph.push_value(Value::computed(dtype, shape))).collect();
        self.graph.nodes.push(Node { inputs, ..Node::new(op, &[], outputs.clone(), attributes, self.path.clone()) });
        outputs
    }

    /// Casts a value, unless it has the type already.
    pub fn cast(&mut self, value: ValueId, to: ElementType) -> ValueId {
        if self.dtype(value) == to {
            return value;
        }
        let attributes = crate::ir::attributes([("to", i64::from(to.onnx()).into())]);
        let shape = self.value_shape(value);
        self.node("Cast", &[value], attributes, to, shape)
    }

    /// Adds a node that keeps the type and the shape of its first input.
    pub fn same(&mut self, op: &str, inputs: &[ValueId], attributes: Attributes) -> ValueId {
        let (dtype, shape) = match inputs.first() {
            Some(id) => (self.graph.value(*id).dtype, self.value_shape(*id)),
            None => (ElementType::F32, vec![]),
        };
        self.node(op, inputs, attributes, dtype, shape)
    }

    /// Adds a node whose output is the tensor `out` of the operation.
    ///
    /// # Errors
    /// The type of the tensor has no counterpart.
    pub fn finish(&mut self, out: &TensorIr, op: &str, inputs: &[ValueId], attributes: Attributes) -> Result<()> {
        let value = self.node(op, inputs, attributes, ElementType::from_burn(out.dtype)?, self.shape(out));
        self.bind(out, value)
    }

    /// Says which value is the tensor `out` of the operation, cast to the type of the tensor.
    ///
    /// # Errors
    /// The type of the tensor has no counterpart, or the shape is another one.
    pub fn bind_cast(&mut self, out: &TensorIr, value: ValueId) -> Result<()> {
        let value = self.cast(value, ElementType::from_burn(out.dtype)?);
        self.bind(out, value)
    }

    /// Says which value is the tensor `out` of the operation.
    ///
    /// # Errors
    /// Type or shape of the value are not those of the tensor.
    pub fn bind(&mut self, out: &TensorIr, value: ValueId) -> Result<()> {
        let found = self.graph.value(value);
        let (dtype, shape) = (ElementType::from_burn(out.dtype)?, self.shape(out));
        if found.dtype != dtype || found.shape != shape {
            let text = |dtype: ElementType, shape: &[Dim]| {
                let dims: Vec<_> = shape.iter().map(|dim| dim.text(&self.graph.symbols)).collect();
                format!("{}[{}]", dtype.name(), dims.join(", "))
            };
            let reason = format!(
                "{} gives {} where Burn gives {}",
                self.name,
                text(found.dtype, &found.shape),
                text(dtype, &shape)
            );
            return Err(Error::InvalidGraph {
                stage: format!("lowering operation {} of `{}`", self.index, self.path),
                reason,
            });
        }
        self.bindings.insert(out.id, value);
        Ok(())
    }

    /// Adds a constant.
    pub fn constant(&mut self, constant: Constant) -> ValueId {
        self.graph.push_value(Value::constant(constant, None))
    }

    /// Adds a scalar of Burn as a constant of rank 0.
    pub fn scalar(&mut self, scalar: ScalarIr, dtype: ElementType) -> ValueId {
        let number = match scalar {
            ScalarIr::Float(value) => Number::Float(value),
            ScalarIr::Int(value) => Number::Int(value.into()),
            ScalarIr::UInt(value) => Number::Int(value.into()),
            ScalarIr::Bool(value) => Number::Int(value.into()),
        };
        self.constant(Constant::scalar(dtype, number))
    }

    /// Adds a floating point number as a constant of rank 0.
    pub fn number(&mut self, number: f64, dtype: ElementType) -> ValueId {
        self.constant(Constant::scalar(dtype, Number::Float(number)))
    }

    /// An integer attribute as it depends on the dynamic sizes. Attributes that a lowering does not read this way
    /// must be the same in every trace.
    pub fn integer(&mut self, read: impl Fn(&OperationIr) -> Option<i64>) -> Dim {
        let dim = self.observe(read);
        self.consumed += usize::from(dim.fixed().is_none());
        dim
    }

    /// An integer made of shapes or of attributes that are read elsewhere, as it depends on the dynamic sizes.
    pub fn observe(&self, read: impl Fn(&OperationIr) -> Option<i64>) -> Dim {
        let observed: Vec<i64> = self.operations.iter().filter_map(read).collect();
        self.samples.fit(&observed)
    }

    /// The error for an operation that this lowering knows but cannot express.
    pub fn unsupported(&self, reason: impl Into<String>) -> Error {
        Error::Unsupported {
            index: self.index,
            operation: self.name.clone(),
            path: self.path.clone(),
            reason: reason.into(),
        }
    }
}
