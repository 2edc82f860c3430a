//! One vector for each image of a foreign model that gives one for each token or place: an output more, which the file itself computes,
//! so that every runtime gives it.

use super::added::{Added, Attribute, Node, Tensor, behind};
use crate::model_file::{dims, tensor_type};
use clap::ValueEnum;
use prost::Message;
use std::fmt;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::{GraphProto, ModelProto, ValueInfoProto, tensor_shape_proto, type_proto};

/// How vectors of tokens or places become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pooling {
    /// That of the first token, as ViT and DINO have it.
    Cls,
    /// The mean over all tokens or places.
    Mean,
}

/// The name that the new output gets, unless something in the graph is called so.
const NAME: &str = "embedding";
/// Parts of names of outputs that hold what is meant to be pooled, the likeliest first.
const LIKELY: &[&str] = &["embed", "pool", "feature", "last", "hidden"];
/// From this version of ONNX's operators on ReduceMean takes its axes as an input.
const AXES_ARE_INPUT: i64 = 18;

/// A file with one output more.
pub struct Pooled {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The same, decoded.
    pub model: ModelProto,
    /// The name of the output.
    pub name: String,
    /// What it is, in words.
    pub reason: String,
}

/// Adds the output to a model, whose bytes are here too.
///
/// # Errors
/// No output has a vector for each token, or for each place where the mean is wanted.
pub fn add(bytes: &[u8], model: &ModelProto, pooling: Pooling) -> Result<Pooled, String> {
    let graph = model.graph.as_ref().ok_or("it holds no graph")?;
    let outputs: Vec<&ValueInfoProto> = graph.output.iter().filter(|output| can_pool(output, pooling)).collect();
    let likely = LIKELY.iter().find_map(|part| outputs.iter().find(|output| output.name.to_lowercase().contains(part)));
    let source = likely.or(outputs.first()).ok_or_else(|| {
        let wanted = if pooling == Pooling::Cls { "tokens" } else { "tokens or places" };
        format!("none of its outputs has a vector of floats for each of several {wanted}, as pooling {pooling} needs")
    })?;
    let name = unused(graph, NAME);
    let (node, width) = nodes(graph, source, pooling, is_axes_input(model), name.clone());
    let output = vec![row(&name, source, width)];
    let bytes = behind(bytes, &Added { node, output })?;
    let model = ModelProto::decode(bytes.as_slice()).map_err(|error| error.to_string())?;
    let how = if pooling == Pooling::Cls { "that of the first token" } else { "the mean" };
    let reason = format!("output: \"{name}\" was added to the file: of the vectors in \"{}\" {how}", source.name);
    Ok(Pooled { bytes, model, name, reason })
}

/// Whether an output has a vector for each token, `[batch, tokens, width]`, or place, `[batch, width, rows, columns]`.
pub fn can_pool(output: &ValueInfoProto, pooling: Pooling) -> bool {
    tensor_type(output).is_some_and(|tensor| {
        let rank = dims(tensor).len();
        tensor.elem_type == DataType::Float as i32 && (rank == 3 || rank == 4 && pooling == Pooling::Mean)
    })
}

/// The nodes that pool an output, the last one of which gives `name`, and the axis of the width.
fn nodes(
    graph: &GraphProto,
    source: &ValueInfoProto,
    pooling: Pooling,
    is_axes_input: bool,
    name: String,
) -> (Vec<Node>, usize) {
    let has_tokens = tensor_type(source).is_some_and(|tensor| dims(tensor).len() == 3);
    let between = |what: &str| unused(graph, &format!("{NAME}_{what}"));
    let (from, number, kept) = (source.name.clone(), between("axis"), between("pooled"));
    if pooling == Pooling::Cls {
        let axis = Attribute { i: Some(1), ..Attribute::new("axis", AttributeType::Int) };
        return (vec![constant(&number, &[], 0), node("Gather", [from, number], name, Some(axis))], 2);
    }
    let flatten = node("Flatten", [kept.clone()], name, None);
    if !has_tokens {
        return (vec![node("GlobalAveragePool", [from], kept, None), flatten], 1);
    }
    if is_axes_input {
        return (vec![constant(&number, &[1], 1), node("ReduceMean", [from, number], kept, None), flatten], 2);
    }
    let axes = Attribute { ints: vec![1], ..Attribute::new("axes", AttributeType::Ints) };
    (vec![node("ReduceMean", [from], kept, Some(axes)), flatten], 2)
}

fn node<const N: usize>(op: &str, input: [String; N], output: String, with: Option<Attribute>) -> Node {
    Node { op_type: op.into(), input: input.to_vec(), output: vec![output], attribute: with.into_iter().collect() }
}

/// A whole number, or a list of one.
fn constant(name: &str, dims: &[i64], number: i64) -> Node {
    let (data_type, raw_data) = (DataType::Int64 as i32, number.to_le_bytes().to_vec());
    let t = Some(Tensor { dims: dims.to_vec(), data_type, raw_data });
    let value = Attribute { t, ..Attribute::new("value", AttributeType::Tensor) };
    node("Constant", [], name.into(), Some(value))
}

/// What is told of the new output: the batch and the width of the one that is pooled.
fn row(name: &str, source: &ValueInfoProto, width: usize) -> ValueInfoProto {
    let mut output = ValueInfoProto { name: name.into(), doc_string: String::new(), ..source.clone() };
    if let Some(type_proto::Value::TensorType(tensor)) = output.r#type.as_mut().and_then(|kind| kind.value.as_mut())
        && let Some(shape) = &mut tensor.shape
    {
        let axes: Vec<tensor_shape_proto::Dimension> =
            [0, width].iter().filter_map(|axis| shape.dim.get(*axis).cloned()).collect();
        shape.dim = axes;
    }
    output
}

fn is_axes_input(model: &ModelProto) -> bool {
    model.opset_import.iter().any(|set| matches!(set.domain.as_str(), "" | "ai.onnx") && set.version >= AXES_ARE_INPUT)
}

/// The name, with a number behind where something in the graph is called so.
fn unused(graph: &GraphProto, name: &str) -> String {
    let is_used = |name: &str| {
        let made = graph.node.iter().flat_map(|node| node.output.iter().chain(&node.input));
        let given = graph.input.iter().map(|input| &input.name);
        made.chain(given).chain(graph.initializer.iter().map(|tensor| &tensor.name)).any(|used| used == name)
    };
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !is_used(name)).unwrap_or_default()
}

impl fmt::Display for Pooling {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::pb::tensor_shape_proto::dimension::Value;
    use tract_onnx::pb::{NodeProto, TensorShapeProto, TypeProto};

    fn output(name: &str, dims: &[i64]) -> ValueInfoProto {
        let dim =
            |dim: &i64| tensor_shape_proto::Dimension { value: Some(Value::DimValue(*dim)), ..Default::default() };
        let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
        let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape };
        let r#type = Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() });
        ValueInfoProto { name: name.into(), r#type, ..Default::default() }
    }

    fn model(outputs: &[ValueInfoProto]) -> ModelProto {
        let graph = GraphProto { output: outputs.to_vec(), name: "g".into(), ..Default::default() };
        ModelProto { ir_version: 8, graph: Some(graph), producer_version: "behind".into(), ..Default::default() }
    }

    #[test]
    fn what_is_not_known_of_a_file_stays() {
        let (unknown, model) = ([0xfa, 0x3f, 0x03, b'n', b'e', b'w'], model(&[output("tokens", &[1, 5, 4])]));
        let bytes = [&unknown[..], &model.encode_to_vec(), &unknown].concat();
        let pooled = add(&bytes, &model, Pooling::Cls).unwrap();
        assert!(pooled.bytes.starts_with(&unknown) && pooled.bytes.ends_with(&unknown));
        assert_eq!(pooled.model.producer_version, "behind");
        let graph = pooled.model.graph.unwrap();
        assert_eq!(dims(tensor_type(&graph.output[1]).unwrap()), [Some(1), Some(4)]);
        assert_eq!((graph.name.as_str(), graph.output[1].name.as_str()), ("g", "embedding"));
        assert!(add(&bytes[..bytes.len() - 20], &model, Pooling::Cls).is_err());
    }

    #[test]
    fn the_likeliest_output_is_pooled_and_no_name_is_taken_twice() {
        let mut model = model(&[output("map", &[1, 4, 3, 3]), output("last_hidden_state", &[1, 5, 4])]);
        let taken = NodeProto { output: vec!["embedding".into()], ..Default::default() };
        model.graph.as_mut().unwrap().node.push(taken);
        let pooled = add(&model.encode_to_vec(), &model, Pooling::Mean).unwrap();
        assert_eq!(pooled.name, "embedding_2");
        assert!(pooled.reason.contains("last_hidden_state"), "{}", pooled.reason);
        model.graph.as_mut().unwrap().output.truncate(1);
        let pooled = add(&model.encode_to_vec(), &model, Pooling::Mean).unwrap();
        assert!(pooled.reason.contains("\"map\""), "{}", pooled.reason);
        let refused = add(&model.encode_to_vec(), &model, Pooling::Cls).err().unwrap();
        assert!(refused.contains("tokens") && refused.contains("pooling cls"), "{refused}");
    }
}
