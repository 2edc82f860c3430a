//! From the graph to the bytes of an ONNX file.

mod defaults;
mod digest;
mod names;
mod node;
mod proto;
mod unpacked;
mod write;

use std::collections::BTreeMap;

pub(crate) use write::{save, to_bytes};

/// What the file says about itself.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub name: String,
    pub doc: String,
    pub metadata: BTreeMap<String, String>,
}
