//! Vectors as bytes in the words of vLLM: `embed_dtype` and `endianness` say what a number is, in base64 and in the two encodings
//! that leave JSON, `bytes`, whose header `metadata` says where each vector lies, and `bytes_only`, which is the vectors alone.
//!
//! # Source
//! `encode_pooling_bytes` and `MetadataItem` of vLLM 0.16.

use super::receipt::Usage;
use actix_web::{HttpResponse, HttpResponseBuilder};
use half::{bf16, f16};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

/// What a number is in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Its type.
    pub dtype: Dtype,
    /// The order of its bytes.
    pub endianness: Endianness,
}

/// Type of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dtype {
    #[default]
    Float32,
    Float16,
    Bfloat16,
}

/// Order of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Endianness {
    /// As the processors of the server have it. The metadata say which that is.
    #[default]
    Native,
    Little,
    Big,
}

/// Where a vector lies.
#[derive(Debug, PartialEq, Serialize)]
struct Item {
    index: usize,
    embed_dtype: Dtype,
    endianness: &'static str,
    start: usize,
    end: usize,
    shape: [usize; 1],
}

impl Dtype {
    /// Bytes of a number.
    fn size(self) -> usize {
        match self {
            Self::Float32 => 4,
            Self::Float16 | Self::Bfloat16 => 2,
        }
    }
}

impl Endianness {
    fn is_little(self) -> bool {
        match self {
            Self::Native => cfg!(target_endian = "little"),
            Self::Little => true,
            Self::Big => false,
        }
    }
}

impl Numbers {
    /// The bytes of a vector.
    pub fn bytes(self, vector: &[f32]) -> Vec<u8> {
        match self.dtype {
            Dtype::Float32 => self.each(vector, f32::to_le_bytes),
            Dtype::Float16 => self.each(vector, |value| f16::from_f32(value).to_le_bytes()),
            Dtype::Bfloat16 => self.each(vector, |value| bf16::from_f32(value).to_le_bytes()),
        }
    }

    fn each<const N: usize>(self, vector: &[f32], little: impl Fn(f32) -> [u8; N]) -> Vec<u8> {
        let is_little = self.endianness.is_little();
        let number = |value: &f32| {
            let mut bytes = little(*value);
            if !is_little {
                bytes.reverse();
            }
            bytes
        };
        vector.iter().flat_map(number).collect()
    }

    /// Where so many vectors of a width lie.
    fn items(self, count: usize, width: usize) -> Vec<Item> {
        let endianness = if self.endianness.is_little() { "little" } else { "big" };
        let size = width * self.dtype.size();
        let item = |index| Item {
            index,
            embed_dtype: self.dtype,
            endianness,
            start: index * size,
            end: (index + 1) * size,
            shape: [width],
        };
        (0..count).map(item).collect()
    }

    /// The vectors as the body of a response.
    pub fn write(self, vectors: &[Vec<f32>], response: &mut HttpResponseBuilder) -> HttpResponse {
        response.content_type("application/octet-stream");
        response.body(vectors.iter().flat_map(|vector| self.bytes(vector)).collect::<Vec<_>>())
    }

    /// As [`Numbers::write`], with a header that says where each vector of the model lies.
    pub fn describe(self, vectors: &[Vec<f32>], model: &str, response: &mut HttpResponseBuilder) -> HttpResponse {
        let created = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let data = self.items(vectors.len(), vectors.first().map_or(0, Vec::len));
        let metadata = json!({"created": created, "model": model, "data": data, "usage": Usage::default()});
        response.insert_header(("metadata", metadata.to_string()));
        self.write(vectors, response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_comes_in_both_orders() {
        let vector = [1.0, -2.5];
        let bytes = |dtype, endianness| Numbers { dtype, endianness }.bytes(&vector);
        let cases: [(Dtype, &[u8]); 3] = [
            (Dtype::Float32, &[0x3f, 0x80, 0, 0, 0xc0, 0x20, 0, 0]),
            (Dtype::Float16, &[0x3c, 0, 0xc1, 0]),
            (Dtype::Bfloat16, &[0x3f, 0x80, 0xc0, 0x20]),
        ];
        for (dtype, big) in cases {
            assert_eq!(bytes(dtype, Endianness::Big), big);
            let little: Vec<u8> = big.chunks(dtype.size()).flat_map(|number| number.iter().rev().copied()).collect();
            assert_eq!(bytes(dtype, Endianness::Little), little);
        }
    }

    #[test]
    fn the_items_follow_each_other() {
        let numbers = Numbers { dtype: Dtype::Float16, endianness: Endianness::Big };
        let found = serde_json::to_value(numbers.items(2, 3)).unwrap();
        let item = |index: usize| json!({"index": index, "embed_dtype": "float16", "endianness": "big", "start": 6 * index, "end": 6 * index + 6, "shape": [3]});
        assert_eq!(found, json!([item(0), item(1)]));
    }
}
