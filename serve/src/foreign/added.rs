//! Nodes and outputs behind those of a graph, put into the bytes of its file. The file is not decoded and encoded again, which would lose
//! what this program does not know of ONNX.
//!
//! The messages are those of ONNX as far as they are needed here, with lists of numbers as its proto2 writes them, one by one: rten reads no
//! others.

use prost::Message;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field};
use tract_onnx::pb::ValueInfoProto;
use tract_onnx::pb::attribute_proto::AttributeType;

/// Number of the field `graph` of a model.
const GRAPH: u32 = 7;

/// What is added to a graph.
#[derive(Clone, PartialEq, Message)]
pub struct Added {
    /// Nodes, which may read what all others give.
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    /// Outputs.
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfoProto>,
}

/// A node.
#[derive(Clone, PartialEq, Message)]
pub struct Node {
    /// Names of what it reads.
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    /// Names of what it gives.
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    /// Operator.
    #[prost(string, tag = "4")]
    pub op_type: String,
    /// Attributes.
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
}

/// An attribute; one of the values is there.
#[derive(Clone, PartialEq, Message)]
pub struct Attribute {
    /// Name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// A whole number.
    #[prost(int64, optional, tag = "3")]
    pub i: Option<i64>,
    /// A tensor.
    #[prost(message, optional, tag = "5")]
    pub t: Option<Tensor>,
    /// Whole numbers.
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub ints: Vec<i64>,
    /// Which of the values is there.
    #[prost(enumeration = "AttributeType", tag = "20")]
    pub r#type: i32,
}

/// A tensor.
#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    /// Shape; none is a number.
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    /// Type of the numbers.
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    /// Numbers, little-endian.
    #[prost(bytes = "vec", tag = "9")]
    pub raw_data: Vec<u8>,
}

impl Attribute {
    /// One whose value is still missing.
    pub fn new(name: &str, r#type: AttributeType) -> Self {
        Self { name: name.into(), r#type: r#type as i32, ..Self::default() }
    }
}

/// The bytes of a model with `added` behind the fields of its graph.
///
/// # Errors
/// The bytes are damaged, or hold no graph.
pub fn behind(model: &[u8], added: &Added) -> Result<Vec<u8>, String> {
    let text = |error: prost::DecodeError| error.to_string();
    let (added, mut rest) = (added.encode_to_vec(), model);
    while !rest.is_empty() {
        let start = model.len() - rest.len();
        let (tag, wire_type) = decode_key(&mut rest).map_err(text)?;
        if tag != GRAPH || wire_type != WireType::LengthDelimited {
            skip_field(wire_type, tag, &mut rest, DecodeContext::default()).map_err(text)?;
            continue;
        }
        let length = decode_varint(&mut rest).ok().and_then(|length| usize::try_from(length).ok());
        let (graph, after) = length.and_then(|length| rest.split_at_checked(length)).ok_or("its graph is cut off")?;
        let mut bytes = Vec::with_capacity(model.len() + added.len() + 16);
        bytes.extend_from_slice(&model[..start]);
        encode_key(GRAPH, WireType::LengthDelimited, &mut bytes);
        encode_varint((graph.len() + added.len()) as u64, &mut bytes);
        [graph, &added, after].into_iter().for_each(|part| bytes.extend_from_slice(part));
        return Ok(bytes);
    }
    Err("it holds no graph".into())
}
