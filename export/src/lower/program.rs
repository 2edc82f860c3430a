//! Lowers a whole program.

use std::collections::BTreeMap;

use super::{Context, LOWERINGS, Lowered, Lowering};
use crate::ir::{ElementType, Graph, GraphOutput, Value};
use crate::shapes::{Program, Symbol, operation_name};
use crate::{Error, Result};

/// What the graph of a program shall look like.
pub(crate) struct Target<'a> {
    pub input_names: &'a [String],
    pub output_names: &'a [String],
    pub symbols: Vec<Symbol>,
    pub opset: i64,
    pub lowerings: &'a [Lowering],
}

/// Translates every operation of the program; the caller's lowerings are asked first.
pub(crate) fn lower(program: Program, target: Target<'_>) -> Result<Graph> {
    let Target { input_names, output_names, symbols, opset, lowerings } = target;
    let Program { operations, shapes, inputs, outputs, values, ramps, parameters, samples } = program;
    let mut context = Context {
        graph: Graph { symbols, opset, ..Graph::default() },
        bindings: BTreeMap::new(),
        shapes: &shapes,
        values,
        ramps: &ramps,
        parameters: &parameters,
        samples: &samples,
        sizes: BTreeMap::new(),
        operations: &[],
        index: 0,
        path: String::new(),
        name: "the signature".to_string(),
        consumed: 0,
    };
    for (tensor, name) in inputs.iter().zip(input_names) {
        let mut value = Value::computed(ElementType::from_burn(tensor.dtype)?, context.shape(tensor));
        value.name = Some(name.clone());
        let id = context.graph.push_value(value);
        context.graph.inputs.push(id);
        context.bindings.insert(tensor.id, id);
    }
    for (index, operation) in operations.iter().enumerate() {
        context.index = index;
        context.operations = &operation.operations;
        context.path.clone_from(&operation.path);
        let Some(first) = operation.operations.first() else { continue };
        context.name = operation_name(first);
        context.consumed = 0;
        let mut done = Lowered::NotMine;
        for lowering in lowerings.iter().chain(LOWERINGS) {
            done = (lowering.lower)(&mut context, first)?;
            if done == Lowered::Done {
                break;
            }
        }
        if done == Lowered::NotMine {
            return Err(Error::NotLowered { index, operation: context.name, path: context.path });
        }
        if context.consumed < operation.differing.len() {
            return Err(Error::SizeDependent {
                index,
                operation: context.name,
                path: context.path,
                what: operation.differing.join(", "),
                detail: ", which ONNX attributes cannot follow".to_string(),
            });
        }
    }
    for (id, name) in outputs.iter().zip(output_names) {
        let value = match context.bindings.get(id) {
            Some(value) => *value,
            None => context.constant_or_ramp(*id)?,
        };
        context.bindings.insert(*id, value);
        context.graph.outputs.push(GraphOutput { name: name.clone(), value });
    }
    let graph = context.graph;
    graph.check("lowering")?;
    Ok(graph)
}
