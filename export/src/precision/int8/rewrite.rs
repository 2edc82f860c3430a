//! `Q` and `DQ` around layers.

use std::collections::BTreeMap;

use super::layers::{Layer, Layers};
use crate::ir::{Attributes, Constant, ElementType, Graph, Node, Number, Value, ValueId, attributes};

/// Scale and zero point of an activation in 8 unsigned bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    pub scale: f32,
    pub zero_point: u8,
}

impl Scale {
    /// Covers a range that holds zero, so that zero is exact.
    pub fn of(low: f32, high: f32) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        let scale = (high - low) / 255.0;
        if !scale.is_normal() {
            return Self { scale: 1.0, zero_point: 0 };
        }
        Self { scale, zero_point: (-low / scale).round() as u8 }
    }
}

/// Quantises the layers in place, and the activations for everyone who reads them.
pub(super) fn apply(graph: &mut Graph, layers: &Layers, scales: &BTreeMap<ValueId, Scale>) {
    let mut quantised: BTreeMap<ValueId, ValueId> = BTreeMap::new();
    let by_node: BTreeMap<usize, Layer> = layers.layers.iter().map(|layer| (layer.node, *layer)).collect();
    let old = std::mem::take(&mut graph.nodes);
    let mut nodes = Vec::new();
    for id in graph.inputs.clone() {
        if let Some(scale) = scales.get(&id) {
            quantised.insert(id, activation(graph, &mut nodes, id, *scale, ""));
        }
    }
    for (index, mut node) in old.into_iter().enumerate() {
        let input_scale = node.input(0).and_then(|id| scales.get(&id)).copied();
        for id in node.inputs.iter_mut().flatten() {
            *id = quantised.get(id).copied().unwrap_or(*id);
        }
        if let (Some(layer), Some(scale)) = (by_node.get(&index), input_scale) {
            weights(graph, &mut nodes, &mut node, *layer, scale);
        }
        let (outputs, path) = (node.outputs.clone(), node.path.clone());
        nodes.push(node);
        for id in outputs {
            if let Some(scale) = scales.get(&id) {
                quantised.insert(id, activation(graph, &mut nodes, id, *scale, &path));
            }
        }
    }
    graph.nodes = nodes;
}

/// Adds the layer in 8 bits behind the graph, and gives its output.
pub(super) fn beside(graph: &mut Graph, layer: Layer, scales: &BTreeMap<ValueId, Scale>) -> ValueId {
    let mut node = graph.nodes[layer.node].clone();
    let output = graph.value(node.outputs[0]).clone();
    node.outputs = vec![graph.push_value(Value { name: None, ..output })];
    let mut nodes = Vec::new();
    if let Some((id, scale)) = node.input(0).and_then(|id| Some((id, *scales.get(&id)?))) {
        node.inputs[0] = Some(activation(graph, &mut nodes, id, scale, &node.path));
        weights(graph, &mut nodes, &mut node, layer, scale);
    }
    let output = node.outputs[0];
    nodes.push(node);
    graph.nodes.append(&mut nodes);
    output
}

/// `DQ(Q(x))`.
fn activation(graph: &mut Graph, nodes: &mut Vec<Node>, id: ValueId, scale: Scale, path: &str) -> ValueId {
    let number = Constant::scalar(ElementType::F32, Number::Float(scale.scale.into()));
    let number = graph.push_value(Value::constant(number, None));
    let zero = Constant::scalar(ElementType::U8, Number::Int(scale.zero_point.into()));
    let zero = graph.push_value(Value::constant(zero, None));
    let shape = graph.value(id).shape.clone();
    let integers = graph.push_value(Value::computed(ElementType::U8, shape.clone()));
    let floats = graph.push_value(Value::computed(ElementType::F32, shape));
    nodes.push(Node::new("QuantizeLinear", &[id, number, zero], vec![integers], Attributes::new(), path));
    nodes.push(Node::new("DequantizeLinear", &[integers, number, zero], vec![floats], Attributes::new(), path));
    floats
}

/// Puts weight and bias of a layer into integers.
fn weights(graph: &mut Graph, nodes: &mut Vec<Node>, node: &mut Node, layer: Layer, input: Scale) {
    let Some(weight) = node.input(1) else { return };
    let Some(numbers) = graph.constant(weight).cloned() else { return };
    let (integers, scales) = quantise(&numbers, layer.channel_axis);
    let name = graph.value(weight).name.clone();
    let axis = layer.channel_axis as i64;
    node.inputs[1] = Some(dequantised(graph, nodes, integers, &scales, axis, name, &node.path));
    let Some((bias, numbers)) = node.input(2).and_then(|id| Some((id, graph.constant(id)?.clone()))) else { return };
    let Some(values) = numbers.to_f32().filter(|values| values.len() == scales.len() && numbers.dims().len() == 1)
    else {
        return;
    };
    let scales: Vec<f32> = scales.iter().map(|scale| scale * input.scale).collect();
    let integer = |(value, scale): (&f32, &f32)| (f64::from(*value) / f64::from(*scale)).round() as i32;
    let bytes = values.iter().zip(&scales).flat_map(|pair| integer(pair).to_le_bytes()).collect();
    let integers = Constant::from_bytes(ElementType::I32, numbers.dims().to_vec(), bytes);
    let name = graph.value(bias).name.clone();
    node.inputs[2] = Some(dequantised(graph, nodes, integers, &scales, 0, name, &node.path));
}

fn dequantised(
    graph: &mut Graph,
    nodes: &mut Vec<Node>,
    integers: Constant,
    scales: &[f32],
    axis: i64,
    name: Option<String>,
    path: &str,
) -> ValueId {
    let zeros = vec![0; scales.len() * integers.dtype().size()];
    let zeros = Constant::from_bytes(integers.dtype(), vec![scales.len()], zeros);
    let floats = Value::computed(ElementType::F32, Value::constant(integers.clone(), None).shape);
    let scale_name = name.as_ref().map(|name| format!("{name}.scale"));
    let integers = graph.push_value(Value::constant(integers, name));
    let scales = graph.push_value(Value::constant(Constant::f32(vec![scales.len()], scales), scale_name));
    let zeros = graph.push_value(Value::constant(zeros, None));
    let floats = graph.push_value(floats);
    let axis = attributes([("axis", axis.into())]);
    nodes.push(Node::new("DequantizeLinear", &[integers, scales, zeros], vec![floats], axis, path));
    floats
}

/// Symmetric integers of 8 bits, and the scale of every channel.
fn quantise(weight: &Constant, axis: usize) -> (Constant, Vec<f32>) {
    let values = weight.to_f32().unwrap_or_default();
    let dims = weight.dims();
    let channels = dims[axis];
    let inner: usize = dims[axis + 1..].iter().product();
    let channel = |index: usize| index / inner % channels;
    let mut largest = vec![0.0f32; channels];
    values
        .iter()
        .enumerate()
        .for_each(|(index, value)| largest[channel(index)] = largest[channel(index)].max(value.abs()));
    let scales: Vec<f32> =
        largest.iter().map(|largest| largest / 127.0).map(|s| if s.is_normal() { s } else { 1.0 }).collect();
    let integer = |(index, value): (usize, &f32)| (value / scales[channel(index)]).round().clamp(-127.0, 127.0) as i8;
    let bytes = values.iter().enumerate().map(|pair| integer(pair).to_le_bytes()[0]).collect();
    (Constant::from_bytes(ElementType::I8, dims.to_vec(), bytes), scales)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_becomes_a_scale_with_an_exact_zero() {
        let cases = [
            ((0.0, 255.0), Scale { scale: 1.0, zero_point: 0 }),
            ((-255.0, 0.0), Scale { scale: 1.0, zero_point: 255 }),
            ((3.0, 51.0), Scale { scale: 0.2, zero_point: 0 }),
            ((0.0, 0.0), Scale { scale: 1.0, zero_point: 0 }),
        ];
        for ((low, high), expected) in cases {
            assert_eq!(Scale::of(low, high), expected, "{low} to {high}");
        }
    }

    #[test]
    fn every_channel_of_a_weight_uses_all_of_its_bits() {
        let weight = Constant::f32(vec![2, 2], &[1.27, 100.0, -0.635, -127.0]);
        let (integers, scales) = quantise(&weight, 1);
        assert_eq!(integers.bytes(), [127u8, 100, (-64i8) as u8, (-127i8) as u8]);
        assert!((scales[0] - 0.01).abs() < 1e-6 && scales[1] == 1.0, "{scales:?}");
        let (integers, _) = quantise(&weight, 0);
        assert_eq!(integers.bytes()[1] as i8, 127);
        assert_eq!(integers.bytes()[3] as i8, -127);
    }
}
