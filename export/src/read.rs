//! From an ONNX file that this crate wrote, in 32-bit floats, back to a model.
//!
//! Types and sizes of what lies between inputs and outputs are those that tract infers; sizes that are no number stay
//! unknown, so no pass runs on such a model, but it can be made smaller by [`crate::precision`] and written again.

use std::collections::BTreeMap;
use std::path::Path;

use prost::Message;
use tract_onnx::pb::tensor_proto::DataLocation;
use tract_onnx::pb::{self, tensor_shape_proto::dimension};
use tract_onnx::prelude::{DatumType, Framework, InferenceModelExt, TractError};
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::TDim;

use crate::foreign::{attribute, tensor};
use crate::ir::{Constant, ElementType, Graph, GraphOutput, Node, Value, ValueId};
use crate::panics::contained;
use crate::passes::PassReport;
use crate::shapes::{Dim, Symbol};
use crate::{Error, Model, Result};

impl Model {
    /// Reads the bytes of an ONNX file that this crate wrote.
    ///
    /// # Errors
    /// [`Error::Decode`] says what this crate does not write: subgraphs, external data, lists of floats, other opsets.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let model = pb::ModelProto::decode(bytes).map_err(|error| Error::Decode(error.to_string()))?;
        let types = types(&model)?;
        let proto = model.graph.as_ref().ok_or_else(|| Error::Decode("it has no graph".to_string()))?;
        let opset = model.opset_import.iter().find(|set| set.domain.is_empty()).map_or(0, |set| set.version);
        if !crate::export::OPSETS.contains(&opset) {
            return Err(Error::UnsupportedOpset(opset));
        }
        let mut reader = Reader { graph: Graph { opset, ..Graph::default() }, known: BTreeMap::new(), types };
        proto.input.iter().try_for_each(|input| reader.input(input))?;
        proto.initializer.iter().try_for_each(|tensor| reader.initializer(tensor))?;
        proto.node.iter().try_for_each(|node| reader.node(node))?;
        proto.output.iter().try_for_each(|output| reader.output(output))?;
        reader.graph.check("reading")?;
        let metadata = model.metadata_props.iter().map(|entry| (entry.key.clone(), entry.value.clone())).collect();
        let (name, doc) = (proto.name.clone(), model.doc_string.clone());
        let nodes = (reader.graph.nodes.len(), reader.graph.nodes.len());
        let report = PassReport { nodes, ..PassReport::default() };
        Ok(Self::new(reader.graph, name, doc, metadata, report))
    }
}

struct Reader {
    graph: Graph,
    known: BTreeMap<String, ValueId>,
    types: BTreeMap<String, (ElementType, Vec<Dim>)>,
}

impl Reader {
    fn input(&mut self, info: &pb::ValueInfoProto) -> Result<()> {
        let (dtype, dims) = tensor_type(info)?;
        let position = self.graph.inputs.len();
        let mut shape = Vec::new();
        for (axis, dim) in dims.iter().enumerate() {
            shape.push(match &dim.value {
                Some(dimension::Value::DimParam(name)) => {
                    let symbols = &mut self.graph.symbols;
                    let index = symbols.iter().position(|symbol| symbol.name == *name).unwrap_or_else(|| {
                        symbols.push(Symbol { name: name.clone(), input: position, axis });
                        symbols.len() - 1
                    });
                    Dim::symbol(index)
                }
                Some(dimension::Value::DimValue(size)) => Dim::Fixed(*size),
                None => return Err(Error::Decode(format!("axis {axis} of input `{}` has no size", info.name))),
            });
        }
        let id = self.graph.push_value(Value { name: Some(info.name.clone()), ..Value::computed(dtype, shape) });
        self.graph.inputs.push(id);
        self.known.insert(info.name.clone(), id);
        Ok(())
    }

    fn initializer(&mut self, tensor: &pb::TensorProto) -> Result<()> {
        let value = Value::constant(constant(tensor)?, Some(tensor.name.clone()));
        let id = self.graph.push_value(value);
        self.known.insert(tensor.name.clone(), id);
        Ok(())
    }

    fn node(&mut self, proto: &pb::NodeProto) -> Result<()> {
        let inputs = proto.input.iter().map(|name| match self.known.get(name) {
            _ if name.is_empty() => Ok(None),
            Some(id) => Ok(Some(*id)),
            None => Err(Error::Decode(format!("node `{}` reads `{name}` before it is made", proto.name))),
        });
        let inputs = inputs.collect::<Result<_>>()?;
        let mut outputs = Vec::new();
        for name in &proto.output {
            let inferred = self.types.get(name).cloned();
            let (dtype, shape) =
                inferred.ok_or_else(|| Error::Decode(format!("type and rank of `{name}` cannot be inferred")))?;
            let id = self.graph.push_value(Value::computed(dtype, shape));
            self.known.insert(name.clone(), id);
            outputs.push(id);
        }
        let attributes = attribute::all(proto, Path::new(""))?;
        let unread = || Error::Decode(format!("node `{}` has an attribute of a kind that is not read", proto.name));
        self.graph.nodes.push(Node {
            op: proto.op_type.clone(),
            domain: proto.domain.clone(),
            inputs,
            outputs,
            attributes: attributes.ok_or_else(unread)?,
            path: proto.name.rsplit_once('/').map_or(String::new(), |(path, _)| path.to_string()),
            name: None,
            verbatim: None,
        });
        Ok(())
    }

    fn output(&mut self, info: &pb::ValueInfoProto) -> Result<()> {
        let (_, dims) = tensor_type(info)?;
        let known = self.known.get(&info.name).copied();
        let id = known.ok_or_else(|| Error::Decode(format!("output `{}` is never made", info.name)))?;
        let symbol = |name: &String| self.graph.symbols.iter().position(|symbol| symbol.name == *name);
        let size = |dim: &pb::tensor_shape_proto::Dimension| match &dim.value {
            Some(dimension::Value::DimValue(size)) => Dim::Fixed(*size),
            Some(dimension::Value::DimParam(name)) => symbol(name).map_or(Dim::Opaque(vec![]), Dim::symbol),
            None => Dim::Opaque(vec![]),
        };
        let shape = dims.iter().map(size).collect();
        self.graph.values[id.0].shape = shape;
        self.graph.outputs.push(GraphOutput { name: info.name.clone(), value: id });
        Ok(())
    }
}

fn tensor_type(info: &pb::ValueInfoProto) -> Result<(ElementType, Vec<pb::tensor_shape_proto::Dimension>)> {
    let kind = info.r#type.as_ref().and_then(|kind| kind.value.as_ref());
    let Some(pb::type_proto::Value::TensorType(tensor)) = kind else {
        return Err(Error::Decode(format!("`{}` is no tensor", info.name)));
    };
    let dtype = ElementType::from_onnx(tensor.elem_type);
    let dtype =
        dtype.ok_or_else(|| Error::UnsupportedElementType(format!("{} of `{}`", tensor.elem_type, info.name)))?;
    Ok((dtype, tensor.shape.iter().flat_map(|shape| shape.dim.iter().cloned()).collect()))
}

/// The numbers of an initialiser, which are in the file itself.
fn constant(tensor: &pb::TensorProto) -> Result<Constant> {
    let wrong = |reason: &str| Error::Decode(format!("initialiser `{}`: {reason}", tensor.name));
    if tensor.data_location == Some(DataLocation::External as i32) {
        return Err(wrong("its numbers lie in another file; export it again without external data"));
    }
    let constant = tensor::take(&mut tensor.clone(), Path::new(""))?;
    constant.ok_or_else(|| wrong("its element type is not read"))
}

/// The type of every computed value, as tract infers it.
fn types(model: &pb::ModelProto) -> Result<BTreeMap<String, (ElementType, Vec<Dim>)>> {
    let failed = |error: &dyn std::fmt::Debug| Error::Decode(format!("tract infers no types: {error:?}"));
    let parsed = contained(|| {
        let mut parsed = tract_onnx::onnx().model_for_proto_model(model)?;
        parsed.analyse(false)?;
        Ok::<_, TractError>(parsed)
    });
    let parsed = parsed.map_err(|panic| failed(&panic))?.map_err(|error| failed(&error))?;
    let mut types = BTreeMap::new();
    for (outlet, name) in &parsed.outlet_labels {
        let fact = parsed.outlet_fact(*outlet).map_err(|error| failed(&error))?;
        if let (Some(dtype), Some(dims)) = (fact.datum_type.concretize().and_then(element), fact.shape.concretize()) {
            let size = |dim: &TDim| dim.to_i64().map_or(Dim::Opaque(vec![]), Dim::Fixed);
            types.insert(name.clone(), (dtype, dims.iter().map(size).collect()));
        }
    }
    Ok(types)
}

/// The element type of a type of tract.
pub(crate) fn element(dtype: DatumType) -> Option<ElementType> {
    Some(match dtype {
        DatumType::F32 => ElementType::F32,
        DatumType::F64 => ElementType::F64,
        DatumType::F16 => ElementType::F16,
        // tract keeps sizes in a type of its own.
        DatumType::I64 | DatumType::TDim => ElementType::I64,
        DatumType::I32 => ElementType::I32,
        DatumType::I16 => ElementType::I16,
        DatumType::I8 => ElementType::I8,
        DatumType::U64 => ElementType::U64,
        DatumType::U32 => ElementType::U32,
        DatumType::U16 => ElementType::U16,
        DatumType::U8 => ElementType::U8,
        DatumType::Bool => ElementType::Bool,
        _ => return None,
    })
}
