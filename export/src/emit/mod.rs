//! From the graph to the bytes of an ONNX file.
//!
//! `names` makes names unique and `defaults` leaves out attributes that say nothing; `proto`, `node` and `unpacked` make the
//! messages, `skeleton` everything but the weights, and `write` adds these one by one. `external` puts them into a second
//! file, `digest` hashes the whole file, and `shell` keeps what else a file of another writer holds.

mod defaults;
mod digest;
mod external;
mod names;
mod node;
mod proto;
mod shell;
mod skeleton;
mod unpacked;
mod write;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use external::{DATA_DIGEST, save_external};
pub(crate) use node::encode as encode_node;
pub(crate) use proto::attribute as attribute_message;
pub(crate) use shell::Shell;
pub(crate) use write::{save, to_bytes};

/// What the file says about itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Header {
    pub name: String,
    pub doc: String,
    pub metadata: BTreeMap<String, String>,
    /// What a file of another writer holds besides; it then stands for name and description too.
    pub shell: Option<Arc<Shell>>,
}
