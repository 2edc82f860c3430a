//! Everything of a file but the bytes of its initialisers.

use prost::Message;

use super::names::Names;
use super::proto::{head, identity, metadata, node_message};
use super::{Header, node};
use crate::Result;
use crate::ir::wire::push;
use crate::ir::{Graph, ValueId};

/// Field numbers of `onnx.proto`.
const GRAPH_NODE: u32 = 1;
const MODEL_METADATA: u32 = 14;

/// The encoded fields of a model and of its graph, and the initialisers in the order in which they are written.
pub(super) struct Skeleton {
    /// The model without its graph.
    pub model: Vec<u8>,
    /// The graph without its initialisers.
    pub graph: Vec<u8>,
    /// Names of the initialisers.
    pub initializers: Vec<(String, ValueId)>,
}

impl Skeleton {
    /// Names everything and encodes it: the nodes first, as tools that list a file expect.
    ///
    /// # Errors
    /// A node that was read from a file cannot take other names.
    pub fn of(graph: &Graph, header: &Header) -> Result<Self> {
        let names = Names::of(graph);
        let mut body = Vec::new();
        for (index, entry) in graph.nodes.iter().enumerate() {
            let message = match &entry.verbatim {
                Some(verbatim) => verbatim.renamed(&names.changed(entry, verbatim))?,
                None => node::encode(node_message(entry, &names.nodes[index], &names, graph.opset)),
            };
            push(&mut body, GRAPH_NODE, &message);
        }
        for output in &graph.outputs {
            let source = names.values.get(&output.value).cloned().unwrap_or_default();
            if source != output.name {
                push(&mut body, GRAPH_NODE, &node::encode(identity(&source, &output.name)));
            }
        }
        let mut model = match &header.shell {
            Some(shell) => {
                let kept = names.kept(graph);
                body.extend_from_slice(&shell.graph);
                let infos = shell.value_infos.iter().filter(|(name, _)| kept.contains(name.as_str()));
                infos.for_each(|(_, field)| body.extend_from_slice(field));
                shell.model.clone()
            }
            None => {
                let mut model = head(graph, header, &names);
                body.extend_from_slice(&model.graph.take().unwrap_or_default().encode_to_vec());
                model.encode_to_vec()
            }
        };
        metadata(header).for_each(|entry| push(&mut model, MODEL_METADATA, &entry.encode_to_vec()));
        let is_constant = |(id, _): &(&ValueId, &String)| graph.constant(**id).is_some();
        let mut initializers: Vec<(String, ValueId)> =
            names.values.iter().filter(is_constant).map(|(id, name)| (name.clone(), *id)).collect();
        initializers.sort_by_key(|(_, id)| *id);
        Ok(Self { model, graph: body, initializers })
    }
}
