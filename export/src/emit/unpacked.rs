//! Numbers that repeat, each with a key of its own: `onnx.proto` does not pack them where prost does, and rten reads
//! them in no other form.

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use tract_onnx::pb::TensorProto;

/// Field number of `onnx.proto`.
const TENSOR_DIMS: u32 = 1;

/// Appends the integers of a repeated field.
pub(super) fn encode_ints(field: u32, values: &[i64], out: &mut Vec<u8>) {
    for value in values {
        encode_key(field, WireType::Varint, out);
        encode_varint(*value as u64, out);
    }
}

/// Encodes a tensor, whose elements are in `raw_data`.
pub(super) fn encode_tensor(mut tensor: TensorProto) -> Vec<u8> {
    let mut dims = Vec::new();
    encode_ints(TENSOR_DIMS, &std::mem::take(&mut tensor.dims), &mut dims);
    let mut bytes = Vec::with_capacity(dims.len() + tensor.encoded_len());
    bytes.extend_from_slice(&dims);
    tensor.encode_raw(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_has_its_key_and_is_read_back() {
        let tensor = TensorProto { dims: vec![2, 0, 300], data_type: 1, ..TensorProto::default() };
        let bytes = encode_tensor(tensor.clone());
        assert_eq!(bytes[..7], [8, 2, 8, 0, 8, 172, 2]);
        assert_eq!(TensorProto::decode(bytes.as_slice()).unwrap(), tensor);
    }
}
