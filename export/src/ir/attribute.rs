//! Attributes of nodes.

use std::collections::BTreeMap;

use super::Constant;

/// The value of one ONNX attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// An integer.
    Int(i64),
    /// A float.
    Float(f32),
    /// A list of integers.
    Ints(Vec<i64>),
    /// A string.
    String(String),
    /// A tensor.
    Tensor(Constant),
}

/// The attributes of a node, ordered by name.
pub type Attributes = BTreeMap<String, Attribute>;

/// Builds [`Attributes`] from pairs of names and values.
pub fn attributes<const N: usize>(pairs: [(&str, Attribute); N]) -> Attributes {
    pairs.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

impl From<i64> for Attribute {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f32> for Attribute {
    fn from(value: f32) -> Self {
        Self::Float(value)
    }
}

impl From<Vec<i64>> for Attribute {
    fn from(value: Vec<i64>) -> Self {
        Self::Ints(value)
    }
}

impl From<&str> for Attribute {
    fn from(value: &str) -> Self {
        Self::String(value.to_string())
    }
}

impl std::fmt::Display for Attribute {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Ints(values) => write!(f, "{values:?}"),
            Self::String(value) => write!(f, "{value:?}"),
            Self::Tensor(value) => write!(f, "{value}"),
        }
    }
}
