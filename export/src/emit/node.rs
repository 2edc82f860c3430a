//! The bytes of a node.
//!
//! prost leaves out a field that holds zero, but many readers refuse an attribute of type `INT` without `i`, so zeros
//! are written out.

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use tract_onnx::pb::NodeProto;
use tract_onnx::pb::attribute_proto::AttributeType;

/// Field numbers of `onnx.proto`.
const NODE_ATTRIBUTE: u32 = 5;
const ATTRIBUTE_FLOAT: u32 = 2;
const ATTRIBUTE_INT: u32 = 3;
const ATTRIBUTE_STRING: u32 = 4;

/// Encodes a node with the value of every attribute.
pub(super) fn encode(mut node: NodeProto) -> Vec<u8> {
    let attributes = std::mem::take(&mut node.attribute);
    let mut bytes = node.encode_to_vec();
    for attribute in attributes {
        let mut message = attribute.encode_to_vec();
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
    use tract_onnx::pb::AttributeProto;

    #[test]
    fn zeros_are_written_and_read_back() {
        let attribute = |name: &str, kind: AttributeType| AttributeProto {
            name: name.to_string(),
            r#type: kind as i32,
            ..AttributeProto::default()
        };
        let node = NodeProto {
            op_type: "Any".to_string(),
            attribute: vec![
                attribute("axis", AttributeType::Int),
                attribute("alpha", AttributeType::Float),
                attribute("mode", AttributeType::String),
            ],
            ..NodeProto::default()
        };
        let bytes = encode(node.clone());
        assert_eq!(NodeProto::decode(bytes.as_slice()).unwrap(), node);
        // Key and value of `i` and `s` are two bytes, those of `f` five.
        assert_eq!(bytes.len(), node.encoded_len() + 2 + 5 + 2);
    }
}
