//! Types and symbolic shapes of every value, as far as the file and tract tell.

use std::collections::{BTreeMap, BTreeSet};

use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{self, type_proto};
use tract_onnx::prelude::{DatumType, InferenceModelExt};
use tract_onnx::tract_hir::infer::Factoid;
use tract_onnx::tract_hir::internal::TDim;

use super::tensor;
use crate::Result;
use crate::ir::ElementType;
use crate::panics::contained;
use crate::shapes::{Affine, Dim, Symbol};

/// Initialisers of more elements are no shapes, axes or sizes, so tract need not see them.
const SHAPE_ELEMENTS: i64 = 1024;

/// What is known of the values.
#[derive(Default)]
pub(super) struct Types {
    /// The open sizes of the inputs.
    pub symbols: Vec<Symbol>,
    /// Element type and shape by name.
    pub values: BTreeMap<String, (ElementType, Vec<Dim>)>,
    expressions: Vec<TDim>,
    unknown: i64,
}

/// Looks at the inputs and infers the rest; nodes that are not `known` are left out.
pub(super) fn infer(model: &pb::ModelProto, known: &[bool], folder: &std::path::Path) -> Result<Types> {
    let mut types = Types::default();
    let Some(graph) = &model.graph else { return Ok(types) };
    let mut copy = pb::GraphProto::default();
    let given: BTreeSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    for info in &graph.input {
        let position = copy.input.len();
        let Some((dtype, dims)) = tensor_type(info) else { continue };
        let open = !given.contains(info.name.as_str());
        let shape: Vec<Dim> = dims
            .iter()
            .enumerate()
            .map(|(axis, dim)| types.input_dim(&info.name, open.then_some(position), axis, dim))
            .collect();
        copy.input.push(described(&info.name, dtype, &shape));
        types.values.insert(info.name.clone(), (dtype, shape));
    }
    let fed: BTreeSet<&str> = graph.input.iter().map(|input| input.name.as_str()).collect();
    for tensor in graph.initializer.iter().filter(|tensor| !fed.contains(tensor.name.as_str())) {
        let Some(dtype) = ElementType::from_onnx(tensor.data_type) else { continue };
        let shape: Vec<Dim> = tensor.dims.iter().copied().map(Dim::Fixed).collect();
        let elements = tensor.dims.iter().try_fold(1i64, |elements, size| elements.checked_mul(*size));
        if elements.is_some_and(|elements| elements <= SHAPE_ELEMENTS) {
            let mut small = tensor.clone();
            tensor::load(&mut small, folder)?;
            copy.initializer.push(small);
        } else {
            copy.input.push(described(&tensor.name, dtype, &shape));
        }
        types.values.insert(tensor.name.clone(), (dtype, shape));
    }
    copy.node = graph.node.iter().zip(known).filter(|(_, known)| **known).map(|(node, _)| explicit(node)).collect();
    for info in graph.value_info.iter().chain(&graph.output) {
        let Some((dtype, dims)) = tensor_type(info) else { continue };
        let dims: Vec<Dim> = dims.iter().map(|dim| types.stated_dim(dim)).collect();
        copy.value_info.push(described(&info.name, dtype, &dims));
        types.values.entry(info.name.clone()).or_insert((dtype, dims));
    }
    let opset_import = model.opset_import.clone();
    let mut copy = pb::ModelProto { graph: Some(copy), opset_import, ..Default::default() };
    let mut answer = contained(|| types.ask_tract(&copy));
    if let (Err(_), Some(graph)) = (&answer, &mut copy.graph) {
        // It computes with constants meanwhile, and panics where it divides integers by zero.
        graph.node.retain(|node| !["Div", "Mod"].contains(&node.op_type.as_str()));
        answer = contained(|| types.ask_tract(&copy));
    }
    match answer {
        Ok(Ok(())) => {}
        Ok(Err(reason)) => tracing::warn!("fewer passes apply, for tract infers no shapes: {reason}"),
        Err(panic) => tracing::warn!("fewer passes apply, for tract fails at the shapes: {panic}"),
    }
    Ok(types)
}

impl Types {
    fn ask_tract(&mut self, model: &pb::ModelProto) -> Result<(), String> {
        let parsed = tract_onnx::onnx().parse(model, None).map_err(|error| format!("{error:#}"))?;
        let (mut inference, outlets) = (parsed.model, parsed.outlets_by_name);
        // What it knows when it fails at a node is right for the others.
        if let Err(error) = inference.analyse(true) {
            tracing::debug!("tract infers a part of the shapes: {error:#}");
        }
        let mut names: Vec<_> = outlets.into_iter().collect();
        names.sort();
        for (name, outlet) in names {
            let fact = inference.outlet_fact(outlet).map_err(|error| error.to_string())?;
            let Some(dtype) = fact.datum_type.concretize().and_then(element) else { continue };
            // What the file states of an element type is what runtimes go by.
            let stated_otherwise = self.values.get(&name).is_some_and(|(stated, _)| *stated != dtype);
            if fact.shape.is_open() || stated_otherwise {
                continue;
            }
            let dims: Vec<Option<TDim>> = fact.shape.dims().map(Factoid::concretize).collect();
            let shape = dims.into_iter().map(|dim| self.dim(dim)).collect();
            self.values.insert(name, (dtype, shape));
        }
        Ok(())
    }

    /// A size of an input: a number, the name it has in the file, or one made from the input.
    fn input_dim(&mut self, input: &str, position: Option<usize>, axis: usize, dim: &Dimension) -> Dim {
        let name = match &dim.value {
            Some(dimension::Value::DimValue(size)) if *size >= 0 => return Dim::Fixed(*size),
            Some(dimension::Value::DimParam(name)) if !name.is_empty() => name.clone(),
            _ => format!("{input}[{axis}]"),
        };
        let Some(input) = position else { return self.fresh() };
        let known = self.symbols.iter().position(|symbol| symbol.name == name);
        Dim::symbol(known.unwrap_or_else(|| {
            self.symbols.push(Symbol { name, input, axis });
            self.symbols.len() - 1
        }))
    }

    /// A size that the file states of a value between inputs and outputs.
    fn stated_dim(&mut self, dim: &Dimension) -> Dim {
        match &dim.value {
            Some(dimension::Value::DimValue(size)) if *size >= 0 => Dim::Fixed(*size),
            Some(dimension::Value::DimParam(name)) => {
                let known = self.symbols.iter().position(|symbol| symbol.name == *name);
                known.map_or_else(|| self.fresh(), Dim::symbol)
            }
            _ => self.fresh(),
        }
    }

    /// A size that tract infers. Equal expressions become equal sizes, and what it does not know equals nothing.
    fn dim(&mut self, dim: Option<TDim>) -> Dim {
        let Some(dim) = dim else { return self.fresh() };
        if let Some(affine) = affine(&dim) {
            return match affine.terms.is_empty() {
                true => Dim::Fixed(affine.constant),
                false => Dim::Affine(affine),
            };
        }
        let known = self.expressions.iter().position(|expression| *expression == dim);
        let index = known.unwrap_or_else(|| {
            self.expressions.push(dim);
            self.expressions.len() - 1
        });
        Dim::Opaque(vec![index as i64])
    }

    fn fresh(&mut self) -> Dim {
        self.unknown -= 1;
        Dim::Opaque(vec![self.unknown])
    }
}

/// A node with the zeros that `ConstantOfShape` gives where it has no `value`: tract takes wider ones.
fn explicit(node: &pb::NodeProto) -> pb::NodeProto {
    let mut node = node.clone();
    if node.op_type == "ConstantOfShape" && node.attribute.is_empty() {
        let zero = pb::TensorProto {
            data_type: ElementType::F32.onnx(),
            dims: vec![1],
            float_data: vec![0.0],
            ..Default::default()
        };
        let r#type = AttributeType::Tensor as i32;
        node.attribute.push(pb::AttributeProto { name: "value".into(), r#type, t: Some(zero), ..Default::default() });
    }
    node
}

/// The name under which tract knows a symbol.
const SYMBOL: &str = "axis_";

fn affine(dim: &TDim) -> Option<Affine> {
    let mut sum = Affine { constant: 0, terms: BTreeMap::new(), divisor: 1 };
    match dim {
        TDim::Val(number) => sum.constant = *number,
        TDim::Sym(symbol) => {
            sum.terms.insert(symbol.to_string().strip_prefix(SYMBOL)?.parse().ok()?, 1);
        }
        TDim::MulInt(factor, inner) => {
            sum = affine(inner)?;
            sum.constant = sum.constant.checked_mul(*factor)?;
            for coefficient in sum.terms.values_mut() {
                *coefficient = coefficient.checked_mul(*factor)?;
            }
        }
        TDim::Add(parts) => {
            for part in parts {
                let part = affine(part)?;
                sum.constant = sum.constant.checked_add(part.constant)?;
                for (symbol, coefficient) in part.terms {
                    let known = sum.terms.entry(symbol).or_default();
                    *known = known.checked_add(coefficient)?;
                }
            }
        }
        _ => return None,
    }
    sum.terms.retain(|_, coefficient| *coefficient != 0);
    Some(sum)
}

pub(super) fn tensor_type(info: &pb::ValueInfoProto) -> Option<(ElementType, &[Dimension])> {
    let type_proto::Value::TensorType(tensor) = info.r#type.as_ref()?.value.as_ref()?;
    Some((ElementType::from_onnx(tensor.elem_type)?, &tensor.shape.as_ref()?.dim))
}

/// What tract is told of a value: the names of sizes are ours, for a file may call them anything.
fn described(name: &str, dtype: ElementType, shape: &[Dim]) -> pb::ValueInfoProto {
    let dim = |dim: &Dim| {
        let value = match (dim.fixed(), dim.as_symbol()) {
            (Some(size), _) => Some(dimension::Value::DimValue(size)),
            (None, Some(symbol)) => Some(dimension::Value::DimParam(format!("{SYMBOL}{symbol}"))),
            (None, None) => None,
        };
        Dimension { value, ..Default::default() }
    };
    let shape = pb::TensorShapeProto { dim: shape.iter().map(dim).collect() };
    let tensor = type_proto::Tensor { elem_type: dtype.onnx(), shape: Some(shape) };
    let r#type = pb::TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() };
    pb::ValueInfoProto { name: name.to_string(), r#type: Some(r#type), ..Default::default() }
}

/// The element type of a type of tract.
fn element(dtype: DatumType) -> Option<ElementType> {
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
