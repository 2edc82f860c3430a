//! Tensors whose numbers are known at compile time.

use std::sync::Arc;

use burn::tensor::{BoolStore, Bytes, DType, TensorData};

use super::ElementType;
use crate::Result;

/// A tensor of known numbers in little-endian row-major order. Clones share the bytes.
#[derive(Clone)]
pub struct Constant {
    dtype: ElementType,
    dims: Vec<usize>,
    bytes: Arc<Bytes>,
}

impl Constant {
    /// Takes over the numbers of a Burn tensor.
    ///
    /// # Errors
    /// Quantised tensors have no counterpart.
    pub fn from_burn(data: TensorData) -> Result<Self> {
        let dtype = ElementType::from_burn(data.dtype())?;
        let data = match data.dtype() {
            DType::Bool(BoolStore::U32) => data.convert_dtype(DType::Bool(BoolStore::Native)),
            _ => data,
        };
        let dims = data.shape().to_vec();
        Ok(Self { dtype, dims, bytes: Arc::new(data.into_bytes()) })
    }

    /// Builds a constant from raw little-endian bytes.
    pub fn from_bytes(dtype: ElementType, dims: Vec<usize>, bytes: Vec<u8>) -> Self {
        Self { dtype, dims, bytes: Arc::new(Bytes::from_bytes_vec(bytes)) }
    }

    /// A tensor of 32-bit floats.
    pub fn f32(dims: Vec<usize>, values: &[f32]) -> Self {
        Self::from_bytes(ElementType::F32, dims, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// A tensor of floats of any width.
    pub fn floats(dtype: ElementType, dims: Vec<usize>, values: impl IntoIterator<Item = f64>) -> Self {
        let bytes = values.into_iter().flat_map(|value| Number::Float(value).to_bytes(dtype)).collect();
        Self::from_bytes(dtype, dims, bytes)
    }

    /// A one-dimensional tensor of 64-bit integers, as ONNX takes shapes and axes.
    pub fn i64s(values: &[i64]) -> Self {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Self::from_bytes(ElementType::I64, vec![values.len()], bytes)
    }

    /// A tensor of rank 0.
    pub fn scalar(dtype: ElementType, value: Number) -> Self {
        Self::from_bytes(dtype, vec![], value.to_bytes(dtype))
    }

    /// Element type.
    pub fn dtype(&self) -> ElementType {
        self.dtype
    }

    /// Sizes of the axes.
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// The raw numbers.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same numbers under other axes. The number of elements must be the same.
    pub fn reshaped(&self, dims: Vec<usize>) -> Self {
        debug_assert_eq!(dims.iter().product::<usize>(), self.dims.iter().product::<usize>());
        Self { dtype: self.dtype, dims, bytes: self.bytes.clone() }
    }

    /// The numbers, if they are 32-bit floats.
    pub fn to_f32(&self) -> Option<Vec<f32>> {
        let chunks = self.bytes.chunks_exact(4);
        (self.dtype == ElementType::F32).then(|| chunks.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }

    /// The numbers, if they are floats of 32 or 64 bits.
    pub fn to_f64s(&self) -> Option<Vec<f64>> {
        match self.dtype {
            ElementType::F32 => Some(self.to_f32()?.into_iter().map(f64::from).collect()),
            ElementType::F64 => Some(
                self.bytes
                    .chunks_exact(8)
                    .map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]))
                    .collect(),
            ),
            _ => None,
        }
    }

    /// The numbers, if they are 64-bit integers.
    pub fn to_i64(&self) -> Option<Vec<i64>> {
        let chunks = self.bytes.chunks_exact(8);
        (self.dtype == ElementType::I64)
            .then(|| chunks.map(|b| i64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]])).collect())
    }
}

impl PartialEq for Constant {
    fn eq(&self, other: &Self) -> bool {
        self.dtype == other.dtype && self.dims == other.dims && self.bytes() == other.bytes()
    }
}

impl std::fmt::Debug for Constant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl std::fmt::Display for Constant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.to_i64(), self.dims.len()) {
            (Some(values), 0 | 1) if values.len() <= 8 => write!(f, "{values:?}"),
            _ => write!(f, "{}{:?}", self.dtype.name(), self.dims),
        }
    }
}

/// A number of any element type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A floating point number.
    Float(f64),
    /// An integer.
    Int(i128),
}

impl Number {
    fn to_bytes(self, dtype: ElementType) -> Vec<u8> {
        let float = match self {
            Self::Float(value) => value,
            Self::Int(value) => value as f64,
        };
        let int = match self {
            Self::Float(value) => value as i128,
            Self::Int(value) => value,
        };
        match dtype {
            ElementType::F32 => (float as f32).to_le_bytes().to_vec(),
            ElementType::F64 => float.to_le_bytes().to_vec(),
            ElementType::F16 => burn::tensor::f16::from_f64(float).to_le_bytes().to_vec(),
            ElementType::BF16 => burn::tensor::bf16::from_f64(float).to_le_bytes().to_vec(),
            ElementType::Bool => vec![u8::from(int != 0)],
            _ => int.to_le_bytes()[..dtype.size()].to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_keep_their_value_in_every_type() {
        let cases = [
            (ElementType::F32, Number::Float(-1.5), (-1.5f32).to_le_bytes().to_vec()),
            (ElementType::I64, Number::Int(-3), (-3i64).to_le_bytes().to_vec()),
            (ElementType::I8, Number::Int(-3), vec![253]),
            (ElementType::U8, Number::Float(7.0), vec![7]),
            (ElementType::Bool, Number::Int(1), vec![1]),
        ];
        let wrong: Vec<_> =
            cases.iter().filter(|(dtype, value, bytes)| Constant::scalar(*dtype, *value).bytes() != bytes).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
