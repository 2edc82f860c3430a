//! Floating point operations, counted on the shapes that tract infers.

use std::collections::{BTreeMap, BTreeSet};

use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{self, type_proto};
use tract_onnx::prelude::{Framework, InferenceModel, InferenceModelExt};
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::DimLike;

use crate::panics::contained;

/// The operators that are counted.
const COUNTED: [&str; 6] = ["Conv", "GRU", "Gemm", "LSTM", "MatMul", "RNN"];

const TOO_LARGE: &str = "the sizes are too large to count";

pub(super) struct Count {
    pub flops: u64,
    pub note: String,
}

/// Counts with every dynamic axis at 1; the error says why there is no count.
pub(super) fn count(mut model: pb::ModelProto) -> Result<Count, String> {
    model.graph.iter_mut().for_each(close_axes);
    model.graph.iter_mut().for_each(leave_weights_out);
    let shapes =
        contained(|| shapes(&model)).unwrap_or_else(|panic| Err(format!("tract infers no shapes: {panic}")))?;
    let graph = model.graph.as_ref().ok_or("there is no graph")?;
    let mut flops = 0u64;
    let mut left_out: BTreeSet<&str> = BTreeSet::new();
    for node in &graph.node {
        if !COUNTED.contains(&node.op_type.as_str()) || !super::is_onnx(&node.domain) {
            left_out.insert(&node.op_type);
            continue;
        }
        let shape = |name: Option<&String>| {
            let name = name.map_or("", String::as_str);
            shapes.get(name).ok_or_else(|| format!("tract infers no shape for `{name}`"))
        };
        let left = shape(node.input.first())?;
        if ["GRU", "LSTM", "RNN"].contains(&node.op_type.as_str()) {
            // Every step meets all weights of the input and of the state.
            let count = |sizes: &[usize]| sizes.iter().try_fold(1u64, |count, size| count.checked_mul(*size as u64));
            let (weights, states) = (count(shape(node.input.get(1))?), count(shape(node.input.get(2))?));
            let steps = count(left.get(..2).unwrap_or_default());
            let products = weights.zip(states).and_then(|(weights, states)| weights.checked_add(states));
            let all = products.zip(steps).and_then(|(products, steps)| products.checked_mul(steps)?.checked_mul(2));
            flops = all.and_then(|all| flops.checked_add(all)).ok_or(TOO_LARGE)?;
            continue;
        }
        let output = shape(node.output.first())?;
        let depth: &[usize] = match node.op_type.as_str() {
            "Conv" => shape(node.input.get(1))?.get(1..).unwrap_or_default(),
            "Gemm" if integer(node, "transA") == 1 => left.get(..1).unwrap_or_default(),
            _ => left.last().map(std::slice::from_ref).unwrap_or_default(),
        };
        let mut sizes = output.iter().chain(depth);
        let product = sizes.try_fold(2u64, |product, size| product.checked_mul(*size as u64));
        flops = product.and_then(|product| flops.checked_add(product)).ok_or(TOO_LARGE)?;
    }
    let left_out: Vec<_> = left_out.into_iter().collect();
    let note = if left_out.is_empty() {
        "all operators are counted".to_string()
    } else {
        format!("not counted: {}", left_out.join(", "))
    };
    Ok(Count { flops, note })
}

/// Makes inputs of weights that lie in another file: their shape is all that is asked for.
fn leave_weights_out(graph: &mut pb::GraphProto) {
    let initializers = std::mem::take(&mut graph.initializer).into_iter();
    let (apart, inside): (Vec<_>, Vec<_>) = initializers.partition(super::is_external);
    graph.initializer = inside;
    for tensor in apart {
        graph.input.retain(|input| input.name != tensor.name);
        let dim = |size: &i64| Dimension { value: Some(dimension::Value::DimValue(*size)), ..Default::default() };
        let shape = pb::TensorShapeProto { dim: tensor.dims.iter().map(dim).collect() };
        let kind = type_proto::Tensor { elem_type: tensor.data_type, shape: Some(shape) };
        let r#type = pb::TypeProto { value: Some(type_proto::Value::TensorType(kind)), ..Default::default() };
        graph.input.push(pb::ValueInfoProto { name: tensor.name, r#type: Some(r#type), ..Default::default() });
    }
}

/// Puts 1 where the size of an axis of an input is open.
fn close_axes(graph: &mut pb::GraphProto) {
    for info in graph.input.iter_mut() {
        let Some(pb::type_proto::Value::TensorType(tensor)) = info.r#type.as_mut().and_then(|kind| kind.value.as_mut())
        else {
            continue;
        };
        for dim in tensor.shape.iter_mut().flat_map(|shape| shape.dim.iter_mut()) {
            if !matches!(dim.value, Some(dimension::Value::DimValue(_))) {
                dim.value = Some(dimension::Value::DimValue(1));
            }
        }
    }
}

/// The shape of every value by name.
fn shapes(model: &pb::ModelProto) -> Result<BTreeMap<String, Vec<usize>>, String> {
    let text = |error: &dyn std::fmt::Debug| format!("tract infers no shapes: {error:?}");
    let onnx = tract_onnx::onnx().with_ignore_output_shapes(true).with_ignore_value_info(true);
    let mut parsed: InferenceModel = onnx.model_for_proto_model(model).map_err(|e| text(&e))?;
    parsed.analyse(false).map_err(|e| text(&e))?;
    let mut shapes = BTreeMap::new();
    // tract labels every outlet but those of the inputs, whose node has the name.
    let inputs = parsed.input_outlets().map_err(|e| text(&e))?.iter();
    let inputs = inputs.map(|outlet| (outlet, &parsed.node(outlet.node).name));
    for (outlet, name) in parsed.outlet_labels.iter().chain(inputs) {
        let dims = parsed.outlet_fact(*outlet).ok().and_then(|fact| fact.shape.concretize());
        let sizes: Option<Vec<usize>> = dims.into_iter().flatten().map(|dim| dim.to_usize().ok()).collect();
        if let Some(sizes) = sizes {
            shapes.insert(name.clone(), sizes);
        }
    }
    for tensor in model.graph.iter().flat_map(|graph| &graph.initializer) {
        let dims = tensor.dims.iter().map(|size| usize::try_from(*size).unwrap_or(0)).collect();
        shapes.insert(tensor.name.clone(), dims);
    }
    Ok(shapes)
}

fn integer(node: &pb::NodeProto, name: &str) -> i64 {
    node.attribute.iter().find(|attribute| attribute.name == name).map_or(0, |attribute| attribute.i)
}
