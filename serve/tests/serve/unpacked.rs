//! Models as bytes, integers that repeat with a key each: prost packs them, which `onnx.proto` does not do and rten does not
//! read.

use prost::Message;
use prost::encoding::{bytes, int64};
use std::mem::take;
use tract_onnx::pb::{AttributeProto, ModelProto, NodeProto, TensorProto};

/// Field numbers of `onnx.proto`.
const TENSOR_DIMS: u32 = 1;
const ATTRIBUTE_INTS: u32 = 8;
const NODE_ATTRIBUTE: u32 = 5;
const GRAPH_NODE: u32 = 1;
const GRAPH_INITIALIZER: u32 = 5;
const MODEL_GRAPH: u32 = 7;

pub fn encode(mut model: ModelProto) -> Vec<u8> {
    let mut graph = model.graph.take().unwrap();
    let (nodes, initializers) = (take(&mut graph.node), take(&mut graph.initializer));
    let mut whole = graph.encode_to_vec();
    bytes::encode_repeated(GRAPH_NODE, &nodes.into_iter().map(node).collect::<Vec<_>>(), &mut whole);
    bytes::encode_repeated(GRAPH_INITIALIZER, &initializers.into_iter().map(tensor).collect::<Vec<_>>(), &mut whole);
    let mut file = model.encode_to_vec();
    bytes::encode(MODEL_GRAPH, &whole, &mut file);
    file
}

fn node(mut node: NodeProto) -> Vec<u8> {
    let attributes: Vec<Vec<u8>> = take(&mut node.attribute).into_iter().map(attribute).collect();
    let mut whole = node.encode_to_vec();
    bytes::encode_repeated(NODE_ATTRIBUTE, &attributes, &mut whole);
    whole
}

fn attribute(mut attribute: AttributeProto) -> Vec<u8> {
    let ints = take(&mut attribute.ints);
    let mut whole = attribute.encode_to_vec();
    int64::encode_repeated(ATTRIBUTE_INTS, &ints, &mut whole);
    whole
}

fn tensor(mut tensor: TensorProto) -> Vec<u8> {
    let dims = take(&mut tensor.dims);
    let mut whole = tensor.encode_to_vec();
    int64::encode_repeated(TENSOR_DIMS, &dims, &mut whole);
    whole
}
