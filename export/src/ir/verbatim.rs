//! Nodes that stay as a file has them.

use std::collections::{BTreeMap, BTreeSet};

use prost::encoding::WireType;

use super::wire::{fields, push};
use crate::Result;

/// The bytes of a node that no pass understands, and the names in them.
#[derive(Clone, Debug, PartialEq)]
pub struct Verbatim {
    /// The message.
    pub(crate) bytes: Vec<u8>,
    /// The name of each input of the node; those that its subgraphs read come last.
    pub(crate) inputs: Vec<String>,
    /// The name of each output.
    pub(crate) outputs: Vec<String>,
    /// Names inside its subgraphs, which nothing outside may take.
    pub(crate) inner: BTreeSet<String>,
}

/// The messages that hold names of values, with the numbers of the fields that matter.
#[derive(Clone, Copy)]
enum Kind {
    Node,
    Attribute,
    Graph,
    ValueInfo,
}

/// What a field holds.
enum Content {
    Name,
    Message(Kind),
    Other,
}

impl Kind {
    /// # Source
    /// Field numbers of `onnx.proto`.
    fn content(self, tag: u32) -> Content {
        match (self, tag) {
            (Self::Node, 1 | 2) | (Self::ValueInfo, 1) => Content::Name,
            (Self::Node, 5) => Content::Message(Self::Attribute),
            (Self::Attribute, 6 | 11) => Content::Message(Self::Graph),
            (Self::Graph, 1) => Content::Message(Self::Node),
            (Self::Graph, 12) => Content::Message(Self::ValueInfo),
            _ => Content::Other,
        }
    }
}

impl Verbatim {
    /// The message with other names of values. Without one it is the message itself.
    ///
    /// # Errors
    /// The bytes are no message.
    pub(crate) fn renamed(&self, names: &BTreeMap<&str, &str>) -> Result<Vec<u8>> {
        if names.iter().all(|(from, to)| from == to) {
            return Ok(self.bytes.clone());
        }
        rename(&self.bytes, Kind::Node, names)
    }
}

fn rename(message: &[u8], kind: Kind, names: &BTreeMap<&str, &str>) -> Result<Vec<u8>> {
    let mut written = Vec::with_capacity(message.len());
    for field in fields(message)? {
        let content = if field.wire == WireType::LengthDelimited { kind.content(field.tag) } else { Content::Other };
        match content {
            Content::Other => written.extend_from_slice(field.whole),
            Content::Message(kind) => push(&mut written, field.tag, &rename(field.payload, kind, names)?),
            Content::Name => {
                let name = std::str::from_utf8(field.payload).ok().and_then(|name| names.get(name));
                push(&mut written, field.tag, name.map_or(field.payload, |name| name.as_bytes()));
            }
        }
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;
    use tract_onnx::pb::{AttributeProto, GraphProto, NodeProto, ValueInfoProto};

    #[test]
    fn names_change_at_every_depth_and_nothing_else_does() {
        let deep = |name: &str| {
            let info = ValueInfoProto { name: name.to_string(), ..Default::default() };
            let node = NodeProto { input: vec![name.to_string()], name: "old".into(), ..Default::default() };
            let graph = GraphProto { node: vec![node], output: vec![info], name: "old".into(), ..Default::default() };
            let attribute = AttributeProto { g: Some(graph), name: "old".into(), ..Default::default() };
            NodeProto {
                input: vec![name.to_string(), String::new()],
                op_type: "If".into(),
                attribute: vec![attribute],
                ..Default::default()
            }
        };
        let bytes = deep("old").encode_to_vec();
        let verbatim = Verbatim { bytes: bytes.clone(), inputs: vec![], outputs: vec![], inner: BTreeSet::new() };
        let renamed = verbatim.renamed(&BTreeMap::from([("old", "newer")])).unwrap();
        assert_eq!(NodeProto::decode(renamed.as_slice()).unwrap(), deep("newer"));
        assert_eq!(verbatim.renamed(&BTreeMap::from([("old", "old")])).unwrap(), bytes);
    }
}
