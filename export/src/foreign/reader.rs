//! From the bytes of a file to a graph, and to what is written again as it stands.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use prost::Message;
use tract_onnx::pb;

use super::standard::{ONNX, label, opset, understood};
use super::types::{Types, infer};
use super::{OnnxFile, attribute, older, scope, tensor};
use crate::emit::{DATA_DIGEST, Shell};
use crate::export::{OPSETS, check_opset};
use crate::ir::wire::{Field, fields, push};
use crate::ir::{Attributes, DEFAULT_OPSET, ElementType, Graph, GraphOutput, Node, Value, ValueId, Verbatim};
use crate::{Error, Model, Result};

/// Field numbers of `onnx.proto`.
const MODEL_GRAPH: u32 = 7;
const MODEL_METADATA: u32 = 14;
const GRAPH_NODE: u32 = 1;
const GRAPH_INITIALIZER: u32 = 5;
const GRAPH_VALUE_INFO: u32 = 13;

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<OnnxFile> {
    let failed = |source| Error::Io { action: "reading", path: path.to_path_buf(), source };
    let bytes = std::fs::read(path).map_err(failed)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    parse(&bytes, folder).map_err(|error| match error {
        Error::Decode(reason) => Error::Decode(format!("{}: {reason}", path.display())),
        error => error,
    })
}

/// Reads the bytes of a file that lies in this folder.
pub(super) fn parse(bytes: &[u8], folder: &Path) -> Result<OnnxFile> {
    let decoded = |bytes| pb::ModelProto::decode(bytes).map_err(|error| Error::Decode(error.to_string()));
    let mut model = decoded(bytes)?;
    opset(&model).map_or(Ok(()), |opset| check_opset(opset, older::OLDEST..=*OPSETS.end()))?;
    let newer = older::upgraded(bytes, &model, folder)?;
    if let Some(newer) = &newer {
        model = decoded(newer)?;
    }
    let bytes = newer.as_deref().unwrap_or(bytes);
    let (parts, graphs): (Vec<Field<'_>>, Vec<Field<'_>>) =
        fields(bytes)?.into_iter().partition(|field| field.tag != MODEL_GRAPH);
    let [graph] = graphs.as_slice() else { return Err(Error::Decode(format!("it has {} graphs", graphs.len()))) };
    if !model.training_info.is_empty() {
        return Err(Error::Decode("it holds training steps, which a rewrite of the graph would leave behind".into()));
    }
    let attributes = understood(&model, folder)?;
    let known: Vec<bool> = attributes.iter().map(Option::is_some).collect();
    let types = infer(&model, &known, folder)?;
    // The digest of weights apart is made anew where they are written apart again.
    let entries = model.metadata_props.iter().filter(|entry| entry.key != DATA_DIGEST);
    let metadata = entries.map(|entry| (entry.key.clone(), entry.value.clone())).collect();
    let mut reader = Reader {
        graph: Graph {
            opset: opset(&model).unwrap_or(DEFAULT_OPSET),
            symbols: types.symbols.clone(),
            ..Graph::default()
        },
        known: BTreeMap::new(),
        types,
        shell: Shell::default(),
    };
    let kept = parts.iter().filter(|field| field.tag != MODEL_METADATA);
    reader.shell.model = kept.flat_map(|field| field.whole).copied().collect();
    let mut proto = model.graph.take().unwrap_or_default();
    let parts = fields(graph.payload)?;
    let of = |tag: u32| parts.iter().filter(move |field| field.tag == tag);
    for part in parts.iter().filter(|part| ![GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_VALUE_INFO].contains(&part.tag)) {
        reader.shell.graph.extend_from_slice(part.whole);
    }
    let infos = proto.value_info.iter().zip(of(GRAPH_VALUE_INFO));
    reader.shell.value_infos = infos.map(|(info, field)| (info.name.clone(), field.whole.to_vec())).collect();
    let replaceable: BTreeSet<&str> = proto.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let fed: Vec<&str> =
        proto.input.iter().map(|input| input.name.as_str()).filter(|name| !replaceable.contains(name)).collect();
    let strange =
        proto.input.iter().filter(|input| fed.contains(&input.name.as_str())).filter_map(undrawable).collect();
    proto.input.iter().for_each(|input| reader.given(&input.name));
    let fed = fed.iter().map(|name| reader.known[*name]).collect();
    let sparse = proto.sparse_initializer.iter().filter_map(|sparse| sparse.values.as_ref());
    sparse.for_each(|values| reader.given(&values.name));
    let returned: BTreeSet<&str> = proto.output.iter().map(|output| output.name.as_str()).collect();
    for (tensor, field) in proto.initializer.iter_mut().zip(of(GRAPH_INITIALIZER)) {
        reader.initializer(tensor, field, &returned, folder)?;
    }
    for ((node, field), attributes) in proto.node.iter().zip(of(GRAPH_NODE)).zip(attributes) {
        reader.node(node, field, attributes, folder)?;
    }
    for output in &proto.output {
        let value = reader.known.get(&output.name).copied();
        let value = value.ok_or_else(|| Error::Decode(format!("output `{}` is never made", output.name)))?;
        reader.graph.outputs.push(GraphOutput { name: output.name.clone(), value });
    }
    reader.graph.check("reading")?;
    let untouched = reader.graph.nodes.iter().filter(|node| node.verbatim.is_some()).count();
    Ok(OnnxFile { model: Model::foreign(reader.graph, metadata, reader.shell), fed, strange, untouched })
}

/// Why no numbers can be drawn for an input.
fn undrawable(input: &pb::ValueInfoProto) -> Option<String> {
    let stated = input.r#type.as_ref().and_then(|kind| kind.value.as_ref());
    let reason = match stated {
        Some(pb::type_proto::Value::TensorType(tensor)) if ElementType::from_onnx(tensor.elem_type).is_some() => {
            tensor.shape.is_none().then_some("has no shape in the file")
        }
        _ => Some("is no tensor of numbers"),
    };
    reason.map(|reason| format!("input `{}` {reason}, so no numbers can be drawn for it", input.name))
}

struct Reader {
    graph: Graph,
    known: BTreeMap<String, ValueId>,
    types: Types,
    shell: Shell,
}

impl Reader {
    /// A value that no node makes and that has no constant: an input, or an initialiser that stays as it is.
    fn given(&mut self, name: &str) {
        let id = self.value(name);
        self.graph.inputs.push(id);
    }

    /// A value of this name; without a type where none is known.
    fn value(&mut self, name: &str) -> ValueId {
        let (dtype, shape) = self.types.values.get(name).cloned().unwrap_or((ElementType::F32, vec![]));
        let id = self.graph.push_value(Value { name: Some(name.to_string()), ..Value::computed(dtype, shape) });
        self.known.insert(name.to_string(), id);
        id
    }

    /// Initialisers that a caller may replace, or that are returned as they are, are no constants to the passes.
    fn initializer(
        &mut self,
        tensor: &mut pb::TensorProto,
        field: &Field<'_>,
        returned: &BTreeSet<&str>,
        folder: &Path,
    ) -> Result<()> {
        let replaceable = self.known.contains_key(&tensor.name);
        let external = tensor.data_location.is_some();
        let constant = match replaceable || returned.contains(tensor.name.as_str()) {
            true => None,
            false => tensor::take(tensor, folder)?,
        };
        match constant {
            Some(constant) => {
                let id = self.graph.push_value(Value::constant(constant, Some(tensor.name.clone())));
                self.known.insert(tensor.name.clone(), id);
            }
            None => {
                tensor::load(tensor, folder)?;
                match external {
                    true => push(&mut self.shell.graph, GRAPH_INITIALIZER, &tensor.encode_to_vec()),
                    false => self.shell.graph.extend_from_slice(field.whole),
                }
                if !replaceable {
                    self.given(&tensor.name.clone());
                }
            }
        }
        Ok(())
    }

    fn node(
        &mut self,
        proto: &pb::NodeProto,
        field: &Field<'_>,
        attributes: Option<Attributes>,
        folder: &Path,
    ) -> Result<()> {
        if let (Some(_), "Constant", [output]) = (&attributes, proto.op_type.as_str(), proto.output.as_slice())
            && let Some(constant) = attribute::constant(proto, folder)?
        {
            let id = self.graph.push_value(Value::constant(constant, None));
            self.known.insert(output.clone(), id);
            return Ok(());
        }
        let scope = scope::of(proto);
        let captured = scope.captured.iter().filter(|name| self.known.contains_key(*name));
        let names: Vec<String> = proto.input.iter().chain(captured).cloned().collect();
        let inputs = names.iter().map(|name| match self.known.get(name) {
            _ if name.is_empty() => Ok(None),
            Some(id) => Ok(Some(*id)),
            None => Err(Error::Decode(format!(
                "{} reads `{name}` before it is made; ONNX wants the nodes in the order in which they run",
                label(proto)
            ))),
        });
        let inputs = inputs.collect::<Result<Vec<Option<ValueId>>>>()?;
        let typed = |name: &String| name.is_empty() || self.types.values.contains_key(name);
        let constant = |id: &Option<ValueId>| id.is_some_and(|id| self.graph.constant(id).is_some());
        let inputs_typed = names.iter().zip(&inputs).all(|(name, id)| constant(id) || typed(name));
        let attributes = attributes.filter(|_| inputs_typed && proto.output.iter().all(typed));
        let outputs: Vec<ValueId> = proto.output.iter().map(|name| self.output(name)).collect();
        let verbatim = attributes.is_none().then(|| {
            let (bytes, inner) = (field.payload.to_vec(), scope.inner);
            Arc::new(Verbatim { bytes, inputs: names, outputs: proto.output.clone(), inner })
        });
        let domain = if ONNX.contains(&proto.domain.as_str()) { "" } else { &proto.domain };
        let suffix = format!("/{}", proto.op_type);
        self.graph.nodes.push(Node {
            op: proto.op_type.clone(),
            domain: domain.to_string(),
            inputs,
            outputs,
            attributes: attributes.unwrap_or_default(),
            path: proto.name.strip_suffix(&suffix).unwrap_or(&proto.name).to_string(),
            name: Some(proto.name.clone()),
            verbatim,
        });
        Ok(())
    }

    /// The value of an output; one without a name is read by nobody.
    fn output(&mut self, name: &str) -> ValueId {
        match name.is_empty() {
            true => self.graph.push_value(Value::computed(ElementType::F32, vec![])),
            false => self.value(name),
        }
    }
}
