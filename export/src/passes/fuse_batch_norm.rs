//! `BatchNormalization(Conv(x, w, b))` → `Conv(x, w · s, (b - mean) · s + beta)` with `s = gamma / √(var + ε)`, and the
//! same of `ConvTranspose` and `Gemm`.

use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::ir::{Attribute, Constant, Graph, Node, Uses, Value, ValueId};
use crate::shapes::Dim;

pub(super) struct FuseBatchNorm;

impl Pass for FuseBatchNorm {
    fn name(&self) -> &'static str {
        "fuse_batch_norm"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let uses = Uses::of(graph);
        let mut patch = Patch::of(graph);
        let mut reason = "no BatchNormalization follows a Conv, a ConvTranspose or a Gemm".to_string();
        for (index, norm) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is("BatchNormalization")) {
            let Some(conv) = norm.input(0).and_then(|id| uses.producer(id)).filter(|i| layer(&graph.nodes[*i])) else {
                continue;
            };
            match fused(graph, &uses, &graph.nodes[conv], norm) {
                Err(why) => reason = format!("{}: {why}", norm.label()),
                Ok(fused) => {
                    let node = &graph.nodes[conv];
                    let bias_name = node.input(2).and_then(|id| graph.value(id).name.clone());
                    let bias_name = bias_name.unwrap_or_else(|| format!("{}.bias", node.path));
                    let weight_name = node.input(1).and_then(|id| graph.value(id).name.clone());
                    let weight = patch.add_value(Value::constant(fused.weight, weight_name));
                    let bias = patch.add_value(Value::constant(fused.bias, Some(bias_name)));
                    let inputs = vec![node.inputs[0], Some(weight), Some(bias)];
                    patch.replace(conv, vec![]);
                    patch.replace(index, vec![Node { inputs, outputs: norm.outputs.clone(), ..node.clone() }]);
                    patch.fired(norm.label());
                }
            }
        }
        Ok(if patch.is_empty() { Outcome::Unchanged(reason) } else { Outcome::Changed(patch) })
    }
}

/// Whether the node is a layer whose weight and bias can take up a scale and a shift.
fn layer(node: &Node) -> bool {
    ["Conv", "ConvTranspose", "Gemm"].into_iter().any(|op| node.is(op))
}

struct Fused {
    weight: Constant,
    bias: Constant,
}

fn fused(graph: &Graph, uses: &Uses, conv: &Node, norm: &Node) -> Result<Fused, &'static str> {
    if !uses.has_one_consumer(conv.outputs[0]) {
        return Err("the output of the layer has another reader");
    }
    if norm.outputs.len() != 1 {
        return Err("the normalisation is in training mode");
    }
    let weight_id = conv.input(1).ok_or("the layer has no weight")?;
    if uses.consumers(weight_id).len() != 1 {
        return Err("another node uses the weight of the layer, so fusing would store it twice");
    }
    let numbers = |id: Option<ValueId>| id.and_then(|id| graph.constant(id)).and_then(Constant::to_f32);
    let not_constant = "a parameter is no constant of 32-bit floats";
    let weight = numbers(Some(weight_id)).ok_or(not_constant)?;
    let dims = graph.constant(weight_id).map(|constant| constant.dims().to_vec()).ok_or(not_constant)?;
    let channels = graph.value(norm.outputs[0]).shape.get(1).and_then(Dim::fixed);
    let channels = channels.and_then(|channels| usize::try_from(channels).ok()).ok_or("the channels are not fixed")?;
    let places = Places::of(conv, &dims, channels).ok_or("the weight has another layout")?;
    let bias = match conv.input(2) {
        Some(id) => numbers(Some(id)).filter(|values| values.len() == channels).ok_or(not_constant)?,
        None => vec![0.0; channels],
    };
    let mut statistics = Vec::new();
    for position in 1..5 {
        let values = numbers(norm.input(position)).filter(|values| values.len() == channels).ok_or(not_constant)?;
        statistics.push(values);
    }
    let epsilon = match norm.attributes.get("epsilon") {
        Some(Attribute::Float(epsilon)) => f64::from(*epsilon),
        _ => 1e-5,
    };
    let [gamma, beta, mean, variance] = [&statistics[0], &statistics[1], &statistics[2], &statistics[3]];
    let scale = |c: usize| f64::from(gamma[c]) / (f64::from(variance[c]) + epsilon).sqrt();
    let scaled: Vec<f32> =
        weight.iter().enumerate().map(|(index, w)| (f64::from(*w) * scale(places.channel(index))) as f32).collect();
    let shifted: Vec<f32> = (0..channels)
        .map(|c| ((f64::from(bias[c]) - f64::from(mean[c])) * scale(c) + f64::from(beta[c])) as f32)
        .collect();
    Ok(Fused { weight: Constant::f32(dims, &scaled), bias: Constant::f32(vec![channels], &shifted) })
}

/// Where the output channels lie in a weight: `[.., groups, inputs of a group, channels of a group, kernel]`, where one
/// of the two in the middle is one.
struct Places {
    kernel: usize,
    channels_in_group: usize,
    group: usize,
}

impl Places {
    fn of(layer: &Node, dims: &[usize], channels: usize) -> Option<Self> {
        let kernel = dims.get(2..)?.iter().product();
        let (first, second) = (*dims.first()?, *dims.get(1)?);
        let groups = match layer.attributes.get("group") {
            Some(Attribute::Int(groups)) => usize::try_from(*groups).ok()?,
            _ => 1,
        };
        let places = match layer.op.as_str() {
            "Conv" => Self { kernel: second * kernel, channels_in_group: 1, group: second * kernel },
            "ConvTranspose" => {
                Self { kernel, channels_in_group: second, group: first / groups.max(1) * second * kernel }
            }
            _ if layer.attributes.is_empty() => Self { kernel: 1, channels_in_group: second, group: first * second },
            _ => return None,
        };
        let count = dims.iter().product::<usize>();
        (places.group > 0 && count / places.group * places.channels_in_group == channels).then_some(places)
    }

    /// The output channel of a number of the weight.
    fn channel(&self, index: usize) -> usize {
        index / self.group * self.channels_in_group + index / self.kernel % self.channels_in_group
    }
}
