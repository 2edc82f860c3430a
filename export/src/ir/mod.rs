//! The graph that the compiler works on: values, nodes that are ONNX operators, a verifier and a text dump.
//!
//! Begin with `graph`; `check` holds every rule that a graph keeps.

mod attribute;
mod check;
mod constant;
mod cost;
mod division;
mod dump;
mod element;
mod graph;
mod uses;
mod verbatim;
pub(crate) mod wire;

pub use attribute::{Attribute, Attributes, attributes};
pub use constant::{Constant, Number};
pub use cost::Cost;
pub use element::ElementType;
pub use graph::{DEFAULT_OPSET, Graph, GraphOutput, Node, Value, ValueId};
pub use uses::Uses;
pub use verbatim::Verbatim;
