//! From an ONNX file that this crate wrote, in 32-bit floats, back to a model: [`crate::precision`] can make it smaller, and
//! it can be written again.

use std::path::Path;

use prost::Message;
use tract_onnx::pb::{StringStringEntryProto, ValueInfoProto, tensor_shape_proto::dimension};

use super::OnnxFile;
use super::reader::parse;
use super::types::tensor_type;
use crate::emit::DATA_DIGEST;
use crate::ir::wire::{Field, fields};
use crate::shapes::Dim;
use crate::{Error, Model, Result};

/// Field numbers of `onnx.proto`.
const MODEL_DOC: u32 = 6;
const MODEL_GRAPH: u32 = 7;
const MODEL_METADATA: u32 = 14;
const GRAPH_NAME: u32 = 2;
const GRAPH_OUTPUT: u32 = 12;

impl Model {
    /// Reads the bytes of an ONNX file that this crate wrote.
    ///
    /// # Errors
    /// [`Error::Decode`] says what this crate does not write, or that the weights lie in another file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let model = fields(bytes)?;
        let graph = model.iter().find(|field| field.tag == MODEL_GRAPH).map_or(Ok(vec![]), |it| fields(it.payload))?;
        let mut entries = model.iter().filter(|field| field.tag == MODEL_METADATA);
        if entries.any(|it| StringStringEntryProto::decode(it.payload).is_ok_and(|entry| entry.key == DATA_DIGEST)) {
            let reason = "its weights lie in another file; export it again without external data";
            return Err(Error::Decode(reason.to_string()));
        }
        let OnnxFile { model: mut read, fed, .. } = parse(bytes, Path::new(""))?;
        let own = read.graph_mut();
        if let Some(node) = own.nodes.iter().find(|node| node.verbatim.is_some()) {
            let reason = format!("{} is none that this crate writes, or its type cannot be inferred", node.label());
            return Err(Error::Decode(reason));
        }
        if own.inputs != fed {
            return Err(Error::Decode("it has an initialiser that this crate does not write".to_string()));
        }
        for node in &mut own.nodes {
            let name = node.name.take().unwrap_or_default();
            node.path = name.rsplit_once('/').map_or(String::new(), |(path, _)| path.to_string());
            node.outputs.iter().for_each(|id| own.values[id.0].name = None);
        }
        let stated = graph.iter().filter(|field| field.tag == GRAPH_OUTPUT);
        for (output, field) in own.outputs.iter().zip(stated) {
            let info = ValueInfoProto::decode(field.payload).map_err(|error| Error::Decode(error.to_string()))?;
            let symbol = |name: &String| own.symbols.iter().position(|symbol| symbol.name == *name);
            let size = |size: &Option<dimension::Value>| match size {
                Some(dimension::Value::DimValue(size)) => Dim::Fixed(*size),
                Some(dimension::Value::DimParam(name)) => symbol(name).map_or(Dim::Opaque(vec![]), Dim::symbol),
                None => Dim::Opaque(vec![]),
            };
            if let Some((_, dims)) = tensor_type(&info) {
                own.values[output.value.0].shape = dims.iter().map(|dim| size(&dim.value)).collect();
            }
        }
        Ok(read.read_again(text(&graph, GRAPH_NAME), text(&model, MODEL_DOC)))
    }
}

fn text(fields: &[Field<'_>], tag: u32) -> String {
    let field = fields.iter().find(|field| field.tag == tag);
    field.map_or(String::new(), |field| String::from_utf8_lossy(field.payload).into_owned())
}
