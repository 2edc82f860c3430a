//! The bytes of a node.
//!
//! prost leaves out a field that holds zero, but many readers refuse an attribute of type `INT` without `i`, so zeros
//! are written out. It packs integers that repeat, which some do not read either.

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use tract_onnx::pb::NodeProto;
use tract_onnx::pb::attribute_proto::AttributeType;

use super::unpacked::{encode_ints, encode_tensor};

/// Field numbers of `onnx.proto`.
const NODE_ATTRIBUTE: u32 = 5;
const ATTRIBUTE_FLOAT: u32 = 2;
const ATTRIBUTE_INT: u32 = 3;
const ATTRIBUTE_STRING: u32 = 4;
const ATTRIBUTE_TENSOR: u32 = 5;
const ATTRIBUTE_INTS: u32 = 8;

/// Encodes a node with the value of every attribute.
pub(crate) fn encode(mut node: NodeProto) -> Vec<u8> {
    let attributes = std::mem::take(&mut node.attribute);
    let mut bytes = node.encode_to_vec();
    for mut attribute in attributes {
        let (ints, tensor) = (std::mem::take(&mut attribute.ints), attribute.t.take());
        let mut message = attribute.encode_to_vec();
        encode_ints(ATTRIBUTE_INTS, &ints, &mut message);
        if let Some(tensor) = tensor.map(encode_tensor) {
            encode_key(ATTRIBUTE_TENSOR, WireType::LengthDelimited, &mut message);
            encode_varint(tensor.len() as u64, &mut message);
            message.extend_from_slice(&tensor);
        }
        if attribute.r#type == AttributeType::Int as i32 && attribute.i == 0 {
            encode_key(ATTRIBUTE_INT, WireType::Varint, &mut message);
            encode_varint(0, &mut message);
        }
        if attribute.r#type == AttributeType::Float as i32 && attribute.f == 0.0 {
            encode_key(ATTRIBUTE_FLOAT, WireType::ThirtyTwoBit, &mut message);
            message.extend_from_slice(&attribute.f.to_le_bytes());
        }
        if attribute.r#type == AttributeType::String as i32 && attribute.s.is_empty() {
            encode_key(ATTRIBUTE_STRING, WireType::LengthDelimited, &mut message);
            encode_varint(0, &mut message);
        }
        encode_key(NODE_ATTRIBUTE, WireType::LengthDelimited, &mut bytes);
        encode_varint(message.len() as u64, &mut bytes);
        bytes.extend_from_slice(&message);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::pb::{AttributeProto, TensorProto};

    fn node(attribute: Vec<AttributeProto>) -> NodeProto {
        NodeProto { op_type: "Any".to_string(), attribute, ..NodeProto::default() }
    }

    #[test]
    fn zeros_are_written_and_read_back() {
        let attribute = |name: &str, kind: AttributeType| AttributeProto {
            name: name.to_string(),
            r#type: kind as i32,
            ..AttributeProto::default()
        };
        let node = node(vec![
            attribute("axis", AttributeType::Int),
            attribute("alpha", AttributeType::Float),
            attribute("mode", AttributeType::String),
        ]);
        let bytes = encode(node.clone());
        assert_eq!(NodeProto::decode(bytes.as_slice()).unwrap(), node);
        // Key and value of `i` and `s` are two bytes, those of `f` five.
        assert_eq!(bytes.len(), node.encoded_len() + 2 + 5 + 2);
    }
    #[test]
    fn integers_that_repeat_have_a_key_each() {
        let pads = AttributeProto { r#type: AttributeType::Ints as i32, ints: vec![1, -1, 0], ..Default::default() };
        let value = TensorProto { dims: vec![1, 1, 1], data_type: 1, raw_data: vec![0; 4], ..Default::default() };
        let value = AttributeProto { r#type: AttributeType::Tensor as i32, t: Some(value), ..Default::default() };
        let node = node(vec![pads, value]);
        let bytes = encode(node.clone());
        assert_eq!(NodeProto::decode(bytes.as_slice()).unwrap(), node);
        let minus_one = [64, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1];
        for part in [&[64, 1][..], &minus_one, &[64, 0], &[8, 1, 8, 1, 8, 1]] {
            assert!(bytes.windows(part.len()).any(|window| window == part), "{part:?} is not in {bytes:?}");
        }
    }
}
