//! What stands before an input of a compiled model: another element type, another order of axes, an affine map of each
//! channel. So a file can take images as they come out of a decoder.

use crate::ir::{Attribute, Constant, ElementType, Node, Value, ValueId, attributes};
use crate::shapes::Dim;
use crate::{Error, Model, Result};

/// The form in which a caller gives an input whose second axis holds channels.
///
/// The model sees `Cast(Transpose(x)) · scale + shift`.
#[derive(Clone, Debug, PartialEq)]
pub struct Prefix {
    /// The element type the caller gives.
    pub dtype: ElementType,
    /// Whether the channels are the caller's last axis, as decoders have them.
    pub channels_last: bool,
    /// A factor and a summand for each channel.
    pub affine: Vec<(f32, f32)>,
}

impl Model {
    /// Puts a prefix before an input, which keeps its name.
    ///
    /// # Shapes
    /// The input was `[batch, channels, ..]`; with channels last the caller gives `[batch, .., channels]`.
    ///
    /// # Errors
    /// [`Error::Request`]: there is no floating point input of that name with as many channels as the prefix has.
    pub fn prefix_input(&mut self, input: &str, prefix: &Prefix) -> Result<()> {
        let graph = self.graph_mut();
        let named = |id: &&ValueId| graph.value(**id).name.as_deref() == Some(input);
        let wrong = |reason: String| Error::Request(format!("prefix of input `{input}`: {reason}"));
        let inner = *graph.inputs.iter().find(named).ok_or_else(|| wrong("the model has no such input".into()))?;
        let Value { dtype, shape, .. } = graph.value(inner).clone();
        let channels = prefix.affine.len();
        if !dtype.is_float() || shape.get(1) != Some(&Dim::Fixed(channels as i64)) {
            let found = format!("it is {}{}", dtype.name(), graph.shape_text(inner));
            return Err(wrong(format!("{found}; {channels} channels of a floating point type are expected")));
        }
        let rank = shape.len();
        // Position of every axis of the model's input among the caller's.
        let axes: Vec<usize> = match prefix.channels_last {
            true => [0, rank - 1].into_iter().chain(1..rank - 1).collect(),
            false => (0..rank).collect(),
        };
        let mut outer = shape.clone();
        axes.iter().zip(&shape).for_each(|(axis, size)| outer[*axis] = size.clone());
        for symbol in graph.symbols.iter_mut().filter(|symbol| graph.inputs.get(symbol.input) == Some(&inner)) {
            symbol.axis = axes[symbol.axis];
        }
        let given =
            graph.push_value(Value { name: Some(input.to_string()), ..Value::computed(prefix.dtype, outer.clone()) });
        graph.inputs.iter_mut().filter(|id| **id == inner).for_each(|id| *id = given);
        graph.values[inner.0].name = None;

        let one_each: Vec<usize> = (1..rank).map(|axis| if axis == 1 { channels } else { 1 }).collect();
        let number = |graph: &mut crate::ir::Graph, name: &str, of: fn(&(f32, f32)) -> f32| {
            let values = prefix.affine.iter().map(|pair| f64::from(of(pair)));
            let constant = Constant::floats(dtype, one_each.clone(), values);
            graph.push_value(Value::constant(constant, Some(format!("{input}.{name}"))))
        };
        let mut steps: Vec<(&str, Option<ValueId>, crate::ir::Attributes, ElementType)> = Vec::new();
        if prefix.channels_last {
            let perm: Vec<i64> = axes.iter().map(|axis| *axis as i64).collect();
            steps.push(("Transpose", None, attributes([("perm", perm.into())]), prefix.dtype));
        }
        if prefix.dtype != dtype {
            steps.push(("Cast", None, attributes([("to", Attribute::Int(dtype.onnx().into()))]), dtype));
        }
        if prefix.affine.iter().any(|(scale, _)| *scale != 1.0) {
            steps.push(("Mul", Some(number(graph, "scale", |pair| pair.0)), attributes([]), dtype));
        }
        if prefix.affine.iter().any(|(_, shift)| *shift != 0.0) {
            steps.push(("Add", Some(number(graph, "shift", |pair| pair.1)), attributes([]), dtype));
        }
        if steps.is_empty() {
            steps.push(("Identity", None, attributes([]), dtype));
        }
        let (mut from, last) = (given, steps.len() - 1);
        let mut nodes = Vec::with_capacity(steps.len() + graph.nodes.len());
        for (index, (op, other, attributes, dtype)) in steps.into_iter().enumerate() {
            let to = match index == last {
                true => inner,
                false => graph.push_value(Value::computed(dtype, shape.clone())),
            };
            let inputs: Vec<ValueId> = [from].into_iter().chain(other).collect();
            nodes.push(Node::new(op, &inputs, vec![to], attributes, input));
            from = to;
        }
        nodes.append(&mut graph.nodes);
        graph.nodes = nodes;
        graph.check("the prefix of an input")
    }
}
