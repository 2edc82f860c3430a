//! A file whose operators are rewritten, field by field, so that whatever else it holds stays as it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use tract_onnx::pb;

use super::node::Old;
use super::{Change, NEW, REPLACEABLE};
use crate::emit::encode_node;
use crate::foreign::standard::{ONNX, label};
use crate::foreign::tensor;
use crate::ir::ElementType;
use crate::ir::wire::{fields, push};
use crate::shapes::Dim;
use crate::{Error, Result};

/// Field numbers of `onnx.proto`.
const MODEL_IR_VERSION: u32 = 1;
const MODEL_GRAPH: u32 = 7;
const MODEL_OPSET: u32 = 8;
const GRAPH_NODE: u32 = 1;
const GRAPH_INPUT: u32 = 11;
const NODE_ATTRIBUTE: u32 = 5;
const ATTRIBUTE_GRAPHS: [u32; 2] = [6, 11];
/// The first version of the format that knows opset 13.
const IR_VERSION: i64 = 7;

/// What a rewrite of a node may ask of the file around it.
pub(super) struct File<'m> {
    model: &'m pb::ModelProto,
    opset: i64,
    changes: &'static [Change],
    folder: &'m Path,
    /// The shapes of values that are known.
    pub shapes: BTreeMap<String, Vec<Dim>>,
    /// The names of all values.
    pub names: BTreeSet<String>,
    read: BTreeSet<String>,
    floats: BTreeSet<i32>,
}

impl<'m> File<'m> {
    /// Looks at every node.
    pub fn of(model: &'m pb::ModelProto, opset: i64, changes: &'static [Change], folder: &'m Path) -> Self {
        let (shapes, names, read, floats) = Default::default();
        let mut file = Self { model, opset, changes, folder, shapes, names, read, floats };
        model.graph.iter().for_each(|graph| file.look(graph));
        file
    }

    fn look(&mut self, graph: &pb::GraphProto) {
        let infos = graph.input.iter().chain(&graph.value_info).chain(&graph.output);
        for info in infos {
            self.names.insert(info.name.clone());
            if let Some(pb::type_proto::Value::TensorType(tensor)) = info.r#type.as_ref().and_then(|t| t.value.as_ref())
            {
                self.floats.insert(tensor.elem_type);
            }
        }
        for tensor in &graph.initializer {
            self.names.insert(tensor.name.clone());
            self.floats.insert(tensor.data_type);
        }
        self.read.extend(graph.output.iter().map(|output| output.name.clone()));
        for node in &graph.node {
            self.names.extend(node.output.iter().cloned());
            self.read.extend(node.input.iter().cloned());
            for attribute in &node.attribute {
                self.floats.extend(attribute.t.as_ref().map(|tensor| tensor.data_type));
                self.floats.extend((node.op_type == "Cast").then_some(attribute.i as i32));
                attribute.g.iter().chain(&attribute.graphs).for_each(|graph| self.look(graph));
            }
        }
    }

    /// Whether a node or the caller reads this value.
    pub fn is_read(&self, name: &str) -> bool {
        self.read.contains(name)
    }

    /// The type of all floats of the file, if they have one type.
    pub fn float(&self) -> Option<ElementType> {
        let known = self.floats.iter().filter_map(|code| ElementType::from_onnx(*code));
        let mut floats = known.filter(|element| element.is_float());
        let first = floats.next().unwrap_or(ElementType::F32);
        floats.next().is_none().then_some(first)
    }

    /// The numbers of a constant of 32-bit floats.
    pub fn numbers(&self, name: &str) -> Option<Vec<f32>> {
        let graph = self.model.graph.as_ref()?;
        let made = graph.node.iter().filter(|node| node.op_type == "Constant" && node.output.iter().any(|o| o == name));
        let made = made.flat_map(|node| &node.attribute).filter_map(|attribute| attribute.t.as_ref());
        let tensor = graph.initializer.iter().filter(|tensor| tensor.name == name).chain(made).next()?;
        tensor::take(&mut tensor.clone(), self.folder).ok()??.to_f32()
    }

    /// The bytes of the file with every node in its newer form.
    ///
    /// # Errors
    /// A node has none.
    pub fn rewritten(mut self, model: &[u8]) -> Result<Vec<u8>> {
        let mut written = Vec::with_capacity(model.len());
        encode_key(MODEL_IR_VERSION, WireType::Varint, &mut written);
        encode_varint(self.model.ir_version.max(IR_VERSION) as u64, &mut written);
        for field in fields(model)? {
            match field.tag {
                MODEL_IR_VERSION => {}
                MODEL_OPSET => {
                    let mut set = decoded::<pb::OperatorSetIdProto>(field.payload)?;
                    if ONNX.contains(&set.domain.as_str()) {
                        set.version = set.version.max(NEW);
                    }
                    push(&mut written, MODEL_OPSET, &set.encode_to_vec());
                }
                MODEL_GRAPH => push(&mut written, MODEL_GRAPH, &self.graph(field.payload)?),
                _ => written.extend_from_slice(field.whole),
            }
        }
        Ok(written)
    }

    fn graph(&mut self, message: &[u8]) -> Result<Vec<u8>> {
        let mut written = Vec::with_capacity(message.len());
        for field in fields(message)? {
            match field.tag {
                GRAPH_NODE => self.node(field.payload, &mut written)?,
                GRAPH_INPUT if self.is_weight(&decoded::<pb::ValueInfoProto>(field.payload)?.name) => {}
                _ => written.extend_from_slice(field.whole),
            }
        }
        Ok(written)
    }

    /// Whether an input is one for the sake of the format alone.
    fn is_weight(&self, input: &str) -> bool {
        let mut initializers = self.model.graph.iter().flat_map(|graph| &graph.initializer);
        self.model.ir_version < REPLACEABLE && initializers.any(|tensor| tensor.name == input)
    }

    /// Writes what takes the place of a node: its newer form, or the same with what its subgraphs hold in newer forms.
    fn node(&mut self, message: &[u8], written: &mut Vec<u8>) -> Result<()> {
        let node = decoded::<pb::NodeProto>(message)?;
        let (label, opset) = (label(&node), self.opset);
        let standard = ONNX.contains(&node.domain.as_str());
        let concerns =
            |change: &&Change| standard && opset <= change.last && change.operators.contains(&node.op_type.as_str());
        let changes: Vec<&Change> = self.changes.iter().filter(concerns).collect();
        if changes.is_empty() {
            push(written, GRAPH_NODE, &self.inside(message)?);
            return Ok(());
        }
        let mut old = Old::new(node, self);
        for change in changes {
            (change.rewrite)(&mut old).map_err(|reason| Error::OldOperator { node: label.clone(), opset, reason })?;
        }
        old.nodes().for_each(|node| push(written, GRAPH_NODE, &encode_node(node)));
        Ok(())
    }

    fn inside(&mut self, node: &[u8]) -> Result<Vec<u8>> {
        let mut written = Vec::with_capacity(node.len());
        for field in fields(node)? {
            if field.tag != NODE_ATTRIBUTE {
                written.extend_from_slice(field.whole);
                continue;
            }
            let mut attribute = Vec::with_capacity(field.payload.len());
            for field in fields(field.payload)? {
                match ATTRIBUTE_GRAPHS.contains(&field.tag) {
                    true => push(&mut attribute, field.tag, &self.graph(field.payload)?),
                    false => attribute.extend_from_slice(field.whole),
                }
            }
            push(&mut written, NODE_ATTRIBUTE, &attribute);
        }
        Ok(written)
    }
}

fn decoded<M: Message + Default>(message: &[u8]) -> Result<M> {
    M::decode(message).map_err(|error| Error::Decode(error.to_string()))
}
