//! Which operators may compute with which numbers.

use super::HalfType;
use crate::ir::Node;

/// How a node runs in a half-precision model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Weights and computation in half precision.
    Half,
    /// Weights in half precision, computation in 32-bit floats.
    Stored,
    /// In the type that its input has already: it only moves numbers.
    Moves,
    /// In 32-bit floats throughout.
    Kept,
}

/// Operators whose result in half precision is about as good as its inputs. Not among them, and therefore kept, are
/// reductions, normalisations, softmax, attention, powers, exponentials, sums along an axis and resizing.
const COMPUTE: &[&str] = &[
    "Abs",
    "Add",
    "AveragePool",
    "Clip",
    "Conv",
    "ConvTranspose",
    "Div",
    "Elu",
    "Erf",
    "Gelu",
    "Gemm",
    "GlobalAveragePool",
    "HardSigmoid",
    "HardSwish",
    "LeakyRelu",
    "MatMul",
    "Max",
    "MaxPool",
    "Min",
    "Mul",
    "Neg",
    "PRelu",
    "Relu",
    "Sigmoid",
    "Sub",
    "Tanh",
    "Where",
];

/// Operators that take the weights of half precision and compute in 32-bit floats: errors add up over the steps of a
/// sequence, and ONNX Runtime has no kernel of 16 bits for them.
const STORE: &[&str] = &["GRU", "LSTM", "RNN"];

/// Operators that move numbers and compute none.
const MOVE: &[&str] = &[
    "Concat",
    "DepthToSpace",
    "Expand",
    "Flatten",
    "Gather",
    "GatherElements",
    "GatherND",
    "Identity",
    "Pad",
    "Reshape",
    "Slice",
    "SpaceToDepth",
    "Split",
    "Squeeze",
    "Tile",
    "Transpose",
    "Unsqueeze",
];

/// The movers for which ONNX Runtime has a bfloat16 kernel on the CPU. It has none for operators that compute, so those
/// run in 32-bit floats there.
const BF16_MOVE: &[&str] = &[
    "Concat",
    "Flatten",
    "Gather",
    "GatherElements",
    "Identity",
    "Reshape",
    "Slice",
    "Squeeze",
    "Transpose",
    "Unsqueeze",
];

/// How an operator runs.
pub(super) fn place(node: &Node, half: HalfType) -> Place {
    let among = |list: &[&str]| node.domain.is_empty() && list.contains(&node.op.as_str());
    match half {
        _ if among(STORE) => Place::Stored,
        HalfType::F16 if among(COMPUTE) => Place::Half,
        HalfType::F16 if among(MOVE) => Place::Moves,
        HalfType::BF16 if among(BF16_MOVE) => Place::Moves,
        HalfType::BF16 if among(COMPUTE) || among(MOVE) => Place::Stored,
        _ => Place::Kept,
    }
}
