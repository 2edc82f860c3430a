//! Vectors as bare little-endian numbers, one vector after the other: the shortest form on the wire.
//!
//! | dtype | a vector of width `w` |
//! |---|---|
//! | `f32` | `w` 32-bit floats |
//! | `f16` | `w` 16-bit floats |
//! | `int8` | one 32-bit float, the scale, and `w` signed bytes: number = scale * byte |
//! | `ubinary` | a bit a number, set where it is positive, the first bit of a byte its highest: `w / 8` bytes, rounded up |
//!
//! The header `x-vector-shape` holds the number of vectors and their width.

use actix_web::{HttpResponse, HttpResponseBuilder};
use half::f16;

/// Type of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// 32-bit floats.
    F32,
    /// 16-bit floats.
    F16,
    /// Signed bytes with a scale for each vector.
    Int8,
    /// Bits.
    Ubinary,
}

impl Dtype {
    /// The type with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::F32, Self::F16, Self::Int8, Self::Ubinary].into_iter().find(|dtype| dtype.name() == name)
    }

    /// The name in headers.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Int8 => "int8",
            Self::Ubinary => "ubinary",
        }
    }

    fn append(self, vector: &[f32], bytes: &mut Vec<u8>) {
        match self {
            Self::F32 => bytes.extend(vector.iter().flat_map(|value| value.to_le_bytes())),
            Self::F16 => bytes.extend(vector.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes())),
            Self::Int8 => {
                let largest = vector.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
                let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
                bytes.extend(scale.to_le_bytes());
                bytes.extend(vector.iter().flat_map(|value| ((value / scale).round() as i8).to_le_bytes()));
            }
            Self::Ubinary => bytes.extend(bits(vector)),
        }
    }
}

/// A bit a number, in whole bytes.
///
/// # Source
/// `numpy.packbits(vector > 0)`, as Sentence Transformers quantises.
pub fn bits(vector: &[f32]) -> impl Iterator<Item = u8> {
    vector.chunks(8).map(|part| {
        part.iter().enumerate().fold(0, |byte, (index, value)| byte | (u8::from(*value > 0.0) << (7 - index)))
    })
}

/// The vectors as the body of a response.
pub fn write(dtype: Dtype, vectors: &[impl AsRef<[f32]>], response: &mut HttpResponseBuilder) -> HttpResponse {
    let width = vectors.first().map_or(0, |vector| vector.as_ref().len());
    let mut bytes = Vec::with_capacity(vectors.len() * (width + 1) * size_of::<f32>());
    for vector in vectors {
        dtype.append(vector.as_ref(), &mut bytes);
    }
    response
        .content_type(format!("application/octet-stream; dtype={}", dtype.name()))
        .insert_header(("x-vector-shape", format!("{},{width}", vectors.len())))
        .body(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dtype_gives_the_numbers_back() {
        let vector = [0.5f32, -1.0, 0.0, 0.25];
        let mut bytes = Vec::new();
        Dtype::F32.append(&vector, &mut bytes);
        assert_eq!(
            bytes.chunks(4).map(|part| f32::from_le_bytes(part.try_into().unwrap())).collect::<Vec<_>>(),
            vector
        );
        bytes.clear();
        Dtype::F16.append(&vector, &mut bytes);
        let halves: Vec<f32> =
            bytes.chunks(2).map(|part| f16::from_le_bytes(part.try_into().unwrap()).to_f32()).collect();
        assert_eq!(halves, vector, "these numbers fit into 16 bits");
        bytes.clear();
        Dtype::Int8.append(&vector, &mut bytes);
        let scale = f32::from_le_bytes(bytes[..4].try_into().unwrap());
        assert_eq!(bytes.len(), 4 + vector.len());
        for (byte, value) in bytes[4..].iter().zip(vector) {
            assert!((f32::from(*byte as i8) * scale - value).abs() <= scale / 2.0, "{byte} x {scale} is not {value}");
        }
        bytes.clear();
        Dtype::Int8.append(&[0.0, 0.0], &mut bytes);
        assert_eq!(bytes[4..], [0, 0]);
        bytes.clear();
        // As numpy packs them.
        Dtype::Ubinary.append(&[1.0, -1.0, 0.0, 2.0, -3.0, 0.5, 0.5, 0.5, 1.0, -1.0], &mut bytes);
        assert_eq!(bytes, [0b1001_0111, 0b1000_0000]);
    }
}
