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
    let mut rewrite = Rewrite::of(graph);
    for id in rewrite.graph.inputs.clone() {
        if let Some(scale) = scales.get(&id) {
            quantised.insert(id, rewrite.activation(id, *scale, ""));
        }
    }
    for (index, mut node) in old.into_iter().enumerate() {
        let input_scale = node.input(0).and_then(|id| scales.get(&id)).copied();
        for id in node.inputs.iter_mut().flatten() {
            *id = quantised.get(id).copied().unwrap_or(*id);
        }
        if let (Some(layer), Some(scale)) = (by_node.get(&index), input_scale) {
            rewrite.weights(&mut node, *layer, scale);
        }
        let (outputs, path) = (node.outputs.clone(), node.path.clone());
        rewrite.nodes.push(node);
        for id in outputs {
            if let Some(scale) = scales.get(&id) {
                quantised.insert(id, rewrite.activation(id, *scale, &path));
            }
        }
    }
    graph.nodes = rewrite.nodes;
}

/// Adds the layer in 8 bits behind the graph, and gives its output.
pub(super) fn beside(graph: &mut Graph, layer: Layer, scales: &BTreeMap<ValueId, Scale>) -> ValueId {
    let mut node = graph.nodes[layer.node].clone();
    let output = graph.value(node.outputs[0]).clone();
    node.outputs = vec![graph.push_value(Value { name: None, ..output })];
    let mut rewrite = Rewrite::of(graph);
    if let Some((id, scale)) = node.input(0).and_then(|id| Some((id, *scales.get(&id)?))) {
        node.inputs[0] = Some(rewrite.activation(id, scale, &node.path));
        rewrite.weights(&mut node, layer, scale);
    }
    let output = node.outputs[0];
    rewrite.nodes.push(node);
    let mut nodes = rewrite.nodes;
    graph.nodes.append(&mut nodes);
    output
}

/// The nodes of the quantised graph, as they are made.
struct Rewrite<'g> {
    graph: &'g mut Graph,
    nodes: Vec<Node>,
    /// Weights that are integers already, by weight, axis and scales: several layers may read one.
    shared: BTreeMap<(ValueId, usize, Vec<u32>), ValueId>,
}

impl<'g> Rewrite<'g> {
    fn of(graph: &'g mut Graph) -> Self {
        Self { graph, nodes: vec![], shared: BTreeMap::new() }
    }

    /// `DQ(Q(x))`.
    fn activation(&mut self, id: ValueId, scale: Scale, path: &str) -> ValueId {
        let number = Constant::scalar(ElementType::F32, Number::Float(scale.scale.into()));
        let number = self.graph.push_value(Value::constant(number, None));
        let zero = Constant::scalar(ElementType::U8, Number::Int(scale.zero_point.into()));
        let zero = self.graph.push_value(Value::constant(zero, None));
        let shape = self.graph.value(id).shape.clone();
        let integers = self.graph.push_value(Value::computed(ElementType::U8, shape.clone()));
        let floats = self.graph.push_value(Value::computed(ElementType::F32, shape));
        let node = |op: &str, inputs: &[ValueId], output| Node::new(op, inputs, vec![output], Attributes::new(), path);
        self.nodes.push(node("QuantizeLinear", &[id, number, zero], integers));
        self.nodes.push(node("DequantizeLinear", &[integers, number, zero], floats));
        floats
    }

    /// Puts weight and bias of a layer into integers.
    fn weights(&mut self, node: &mut Node, layer: Layer, input: Scale) {
        let Some(weight) = node.input(1) else { return };
        let Some(numbers) = self.graph.constant(weight).cloned() else { return };
        let channels = numbers.dims()[layer.channel_axis];
        let bias = node.input(2).and_then(|id| Some((id, vector(self.graph, id, channels)?)));
        let least = bias.as_ref().map_or(vec![0.0; channels], |(_, values)| least_scales(values, input));
        let scales = scales(&numbers, layer.channel_axis, &least);
        let bits: Vec<u32> = scales.iter().map(|scale| scale.to_bits()).collect();
        let key = (weight, layer.channel_axis, bits);
        let shared = self.shared.get(&key).copied().unwrap_or_else(|| {
            let integers = quantise(&numbers, layer.channel_axis, &scales);
            self.dequantised(integers, &scales, layer.channel_axis, weight, &node.path)
        });
        self.shared.insert(key, shared);
        node.inputs[1] = Some(shared);
        let Some((bias, values)) = bias else { return };
        let scales: Vec<f32> = scales.iter().map(|scale| scale * input.scale).collect();
        let integer = |(value, scale): (&f32, &f32)| (f64::from(*value) / f64::from(*scale)).round() as i32;
        let bytes = values.iter().zip(&scales).flat_map(|pair| integer(pair).to_le_bytes()).collect();
        let integers = Constant::from_bytes(ElementType::I32, vec![channels], bytes);
        node.inputs[2] = Some(self.dequantised(integers, &scales, 0, bias, &node.path));
    }

    /// The floats that integers stand for, under the name of the constant that they replace.
    fn dequantised(&mut self, integers: Constant, scales: &[f32], axis: usize, of: ValueId, path: &str) -> ValueId {
        let name = self.graph.value(of).name.clone();
        let zeros = vec![0; scales.len() * integers.dtype().size()];
        let zeros = Constant::from_bytes(integers.dtype(), vec![scales.len()], zeros);
        let floats = Value::computed(ElementType::F32, Value::constant(integers.clone(), None).shape);
        let scale_name = name.as_ref().map(|name| format!("{name}.scale"));
        let integers = self.graph.push_value(Value::constant(integers, name));
        let scales = Value::constant(Constant::f32(vec![scales.len()], scales), scale_name);
        let scales = self.graph.push_value(scales);
        let zeros = self.graph.push_value(Value::constant(zeros, None));
        let floats = self.graph.push_value(floats);
        let axis = attributes([("axis", (axis as i64).into())]);
        self.nodes.push(Node::new("DequantizeLinear", &[integers, scales, zeros], vec![floats], axis, path));
        floats
    }
}

/// The numbers of a bias with one for every channel.
fn vector(graph: &Graph, id: ValueId, channels: usize) -> Option<Vec<f32>> {
    let constant = graph.constant(id)?;
    (constant.dims() == [channels]).then(|| constant.to_f32()).flatten()
}

/// The scales of a weight below which the bias, whose scale is theirs times that of the input, leaves 32 bits. It may take
/// half of their range, and the sum of products the other half.
fn least_scales(bias: &[f32], input: Scale) -> Vec<f32> {
    const LARGEST: f64 = (1u32 << 30) as f64;
    bias.iter().map(|bias| (f64::from(bias.abs()) / (f64::from(input.scale) * LARGEST)) as f32).collect()
}

/// The scale of every channel, which lets its largest weight be 127.
fn scales(weight: &Constant, axis: usize, least: &[f32]) -> Vec<f32> {
    let mut largest = vec![0.0f32; least.len()];
    for (channel, value) in by_channel(weight, axis) {
        largest[channel] = largest[channel].max(value.abs());
    }
    let scales = largest.iter().zip(least).map(|(largest, least)| (largest / 127.0).max(*least));
    scales.map(|scale| if scale.is_normal() { scale } else { 1.0 }).collect()
}

/// Symmetric integers of 8 bits.
fn quantise(weight: &Constant, axis: usize, scales: &[f32]) -> Constant {
    let integer = |(channel, value): (usize, f32)| (value / scales[channel]).round().clamp(-127.0, 127.0) as i8;
    let bytes = by_channel(weight, axis).map(|pair| integer(pair).to_le_bytes()[0]).collect();
    Constant::from_bytes(ElementType::I8, weight.dims().to_vec(), bytes)
}

/// Every weight with its channel.
fn by_channel(weight: &Constant, axis: usize) -> impl Iterator<Item = (usize, f32)> {
    let (channels, inner) = (weight.dims()[axis], weight.dims()[axis + 1..].iter().product::<usize>());
    let values = weight.to_f32().unwrap_or_default().into_iter();
    values.enumerate().map(move |(index, value)| (index / inner % channels, value))
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::emit::{Header, to_bytes};
    use crate::ir::GraphOutput;
    use crate::precision::Keep;
    use crate::shapes::Dim;
    use crate::verify::{Runner, TractRunner};

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
        let found = scales(&weight, 1, &[0.0; 2]);
        assert_eq!(quantise(&weight, 1, &found).bytes(), [127u8, 100, (-64i8) as u8, (-127i8) as u8]);
        assert!((found[0] - 0.01).abs() < 1e-6 && found[1] == 1.0, "{found:?}");
        let integers = quantise(&weight, 0, &scales(&weight, 0, &[0.0; 2]));
        assert_eq!(integers.bytes()[1] as i8, 127);
        assert_eq!(integers.bytes()[3] as i8, -127);
    }

    /// A `Gemm` of one input and these weights and biases, whose input is quantised.
    fn gemm(weights: &[f32], bias: &[f32], readers: usize) -> (Graph, Layers, BTreeMap<ValueId, Scale>) {
        let channels = weights.len();
        let mut graph = Graph::default();
        let named = |name: &str, constant| Value::constant(constant, Some(name.to_string()));
        let shape = |width: usize| vec![Dim::Fixed(1), Dim::Fixed(width as i64)];
        let x = graph.push_value(Value { name: Some("x".into()), ..Value::computed(ElementType::F32, shape(1)) });
        let weight = graph.push_value(named("weight", Constant::f32(vec![1, channels], weights)));
        graph.inputs.push(x);
        for index in 0..readers {
            let bias = graph.push_value(named("bias", Constant::f32(vec![channels], bias)));
            let y = graph.push_value(Value::computed(ElementType::F32, shape(channels)));
            graph.nodes.push(Node::new("Gemm", &[x, weight, bias], vec![y], Attributes::new(), ""));
            graph.outputs.push(GraphOutput { name: format!("y{index}"), value: y });
        }
        let layers = Layers::of(&graph, &Keep::default()).unwrap();
        (graph, layers, BTreeMap::from([(x, Scale::of(-1.0, 1.0))]))
    }

    #[test]
    fn the_bias_of_a_dead_channel_stays_within_a_step_of_the_output() {
        let (weights, bias) = ([1.0, 1e-12, 0.0, -1e-30], [0.25, 3.0, 0.001, -2.0]);
        let (mut graph, layers, scales) = gemm(&weights, &bias, 1);
        apply(&mut graph, &layers, &scales);
        graph.check("the rewrite").unwrap();
        let bytes = to_bytes(&graph, &Header::default()).unwrap();
        let mut session = TractRunner.load(&bytes).unwrap();
        let found = session.run(&[TensorData::new(vec![1.0f32], [1, 1])]).unwrap().remove(0).1;
        let expected = weights.iter().zip(bias).map(|(weight, bias)| weight + bias);
        for (channel, (found, expected)) in found.iter::<f32>().zip(expected).enumerate() {
            let step = (expected.abs() / 127.0).max(f32::EPSILON);
            assert!((found - expected).abs() <= step, "channel {channel}: {found} where {expected} is right");
        }
    }

    #[test]
    fn a_weight_that_two_layers_read_is_written_once() {
        let (mut graph, layers, scales) = gemm(&[1.0, -0.5], &[0.25, 3.0], 2);
        apply(&mut graph, &layers, &scales);
        let weights = graph.values.iter().filter(|value| value.dtype == ElementType::I8 && value.shape.len() == 2);
        assert_eq!(weights.count(), 1, "{}", graph.dump());
    }
}
