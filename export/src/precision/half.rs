//! 32-bit floats → 16-bit ones: `f(x, w)` → `Cast(f(Cast(x), half(w)))`, with a cast only where the type changes.

use std::collections::BTreeMap;

use burn::tensor::{bf16, f16};

use super::Keep;
use super::operators::{Place, place};
use crate::ir::{Attribute, Constant, ElementType, Graph, Node, Value, ValueId, attributes};
use crate::{Error, Model, Result};

/// A floating point type of 16 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HalfType {
    /// 11 bits of precision, up to 65504.
    F16,
    /// 8 bits of precision, the range of 32-bit floats.
    BF16,
}

/// What to put in half precision.
#[derive(Clone, Debug)]
pub struct Half {
    /// The type.
    pub dtype: HalfType,
    /// Nodes that stay in 32-bit floats beside those that do by default.
    pub keep: Keep,
    /// Whether inputs and outputs change their type too.
    pub io: bool,
}

/// What was put in half precision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HalfReport {
    /// Nodes that compute in half precision.
    pub half: usize,
    /// Nodes that compute in 32-bit floats with weights that are stored in half precision.
    pub stored: usize,
    /// Nodes that stay in 32-bit floats, by name.
    pub kept: Vec<String>,
    /// Casts that were put between them.
    pub casts: usize,
    /// Weights other than zero that became zero.
    pub flushed: usize,
}

impl HalfType {
    fn element(self) -> ElementType {
        match self {
            Self::F16 => ElementType::F16,
            Self::BF16 => ElementType::BF16,
        }
    }

    fn round(self, value: f32) -> f32 {
        match self {
            Self::F16 => f16::from_f32(value).to_f32(),
            Self::BF16 => bf16::from_f32(value).to_f32(),
        }
    }
}

impl Model {
    /// Puts the model in half precision.
    ///
    /// # Errors
    /// [`Error::Request`]: a pattern meets no node. [`Error::Overflow`] names a weight that is too large for the type.
    pub fn to_half(&mut self, half: &Half) -> Result<HalfReport> {
        let graph = self.graph_mut();
        half.keep.check(graph)?;
        let mut rewrite = Rewrite {
            half,
            nodes: Vec::with_capacity(graph.nodes.len()),
            twins: BTreeMap::new(),
            report: HalfReport::default(),
            graph,
        };
        rewrite.run()?;
        let Rewrite { graph, nodes, report, .. } = rewrite;
        graph.nodes = nodes;
        graph.check("the rewrite to half precision")?;
        Ok(report)
    }
}

struct Rewrite<'a> {
    half: &'a Half,
    graph: &'a mut Graph,
    nodes: Vec<Node>,
    /// The same number in the other type.
    twins: BTreeMap<ValueId, ValueId>,
    report: HalfReport,
}

impl Rewrite<'_> {
    fn run(&mut self) -> Result<()> {
        let half = self.half.dtype.element();
        if self.half.io {
            for id in self.graph.inputs.clone() {
                let value = &mut self.graph.values[id.0];
                value.dtype = if value.dtype == ElementType::F32 { half } else { value.dtype };
            }
        }
        for node in std::mem::take(&mut self.graph.nodes) {
            self.node(node)?;
        }
        let wanted = if self.half.io { half } else { ElementType::F32 };
        for index in 0..self.graph.outputs.len() {
            let id = self.graph.outputs[index].value;
            if self.is_float(id) {
                self.graph.outputs[index].value = self.cast(id, wanted, "", "an output")?;
            }
        }
        Ok(())
    }

    fn node(&mut self, mut node: Node) -> Result<()> {
        let half = self.half.dtype.element();
        let label = node.label();
        let place = match place(&node, self.half.dtype) {
            _ if self.half.keep.holds(&node) || self.has_a_number_beyond(&node) => Place::Kept,
            Place::Moves => self.place_of_mover(&node),
            place => place,
        };
        let touches = node.inputs.iter().flatten().chain(&node.outputs).any(|id| self.is_float(*id));
        for input in node.inputs.iter_mut().flatten().filter(|_| touches) {
            let id = *input;
            if !self.is_float(id) {
                continue;
            }
            *input = match place {
                Place::Half => self.cast(id, half, &node.path, &label)?,
                Place::Stored if self.is_weight(id) => {
                    let stored = self.cast(id, half, &node.path, &label)?;
                    self.cast(stored, ElementType::F32, &node.path, &label)?
                }
                _ => self.cast(id, ElementType::F32, &node.path, &label)?,
            };
        }
        if place == Place::Half {
            for id in &node.outputs {
                let value = &mut self.graph.values[id.0];
                value.dtype = if value.dtype == ElementType::F32 { half } else { value.dtype };
            }
        }
        match place {
            Place::Half if touches => self.report.half += 1,
            Place::Stored if touches => self.report.stored += 1,
            _ if touches => self.report.kept.push(label),
            _ => {}
        }
        self.nodes.push(node);
        Ok(())
    }

    /// A mover follows its first floating point input; a weight that it moves is stored in half precision.
    fn place_of_mover(&self, node: &Node) -> Place {
        let first = node.inputs.iter().flatten().find(|id| self.is_float(**id));
        match first {
            Some(id) if self.graph.value(*id).dtype != ElementType::F32 || self.is_weight(*id) => Place::Half,
            _ => Place::Kept,
        }
    }

    fn is_float(&self, id: ValueId) -> bool {
        [ElementType::F32, self.half.dtype.element()].contains(&self.graph.value(id).dtype)
    }

    /// Whether a single number, such as an epsilon or a mask, would become zero or infinite.
    fn has_a_number_beyond(&self, node: &Node) -> bool {
        let dtype = self.half.dtype;
        let beyond = |value: f32| {
            value.is_finite() && value != 0.0 && {
                let rounded = dtype.round(value);
                rounded == 0.0 || !rounded.is_finite()
            }
        };
        let constants = node.inputs.iter().flatten().filter(|id| !self.is_weight(**id));
        let numbers = constants.filter_map(|id| self.graph.constant(*id)?.to_f32());
        numbers.flatten().any(beyond)
    }

    /// A constant of more than one number: a single number costs nothing in any type.
    fn is_weight(&self, id: ValueId) -> bool {
        self.graph.constant(id).is_some_and(|constant| constant.dims().iter().product::<usize>() > 1)
    }

    /// The value in a type; the first reader pays for the cast.
    fn cast(&mut self, id: ValueId, to: ElementType, path: &str, reader: &str) -> Result<ValueId> {
        let value = self.graph.value(id);
        if value.dtype == to {
            return Ok(id);
        }
        if let Some(twin) = self.twins.get(&id) {
            return Ok(*twin);
        }
        let twin = match (&value.constant, to) {
            (Some(constant), to) if to != ElementType::F32 => {
                let name = value.name.clone();
                let constant = constant.clone();
                let halved = self.halve(&constant, name.as_deref(), reader)?;
                self.graph.push_value(Value::constant(halved, name))
            }
            _ => {
                let twin = Value::computed(to, value.shape.clone());
                let twin = self.graph.push_value(twin);
                let to = attributes([("to", Attribute::Int(to.onnx().into()))]);
                self.nodes.push(Node::new("Cast", &[id], vec![twin], to, path));
                self.report.casts += 1;
                // A cast to 32 bits and back gives the number itself; a cast to 16 bits loses some.
                if self.graph.value(id).dtype != ElementType::F32 {
                    self.twins.insert(twin, id);
                }
                twin
            }
        };
        self.twins.insert(id, twin);
        Ok(twin)
    }

    fn halve(&mut self, constant: &Constant, name: Option<&str>, reader: &str) -> Result<Constant> {
        let values = constant.to_f32().unwrap_or_default();
        let dtype = self.half.dtype;
        let lost = values.iter().find(|value| value.is_finite() && !dtype.round(**value).is_finite());
        if let Some(value) = lost {
            return Err(Error::Overflow {
                weight: name.unwrap_or("a constant").to_string(),
                node: reader.to_string(),
                value: *value,
                dtype: dtype.element().name(),
            });
        }
        self.report.flushed += values.iter().filter(|value| **value != 0.0 && dtype.round(**value) == 0.0).count();
        let values = values.into_iter().map(f64::from);
        Ok(Constant::floats(dtype.element(), constant.dims().to_vec(), values))
    }
}

#[cfg(test)]
#[path = "half_tests.rs"]
mod tests;
