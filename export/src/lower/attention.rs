//! Scaled dot-product attention: `softmax(Q · Kᵀ · scale + bias) · V`.
//!
//! # Source
//! ONNX `MatMul`, `Mul`, `Where`, `Softmax`, `Range` and `Greater` for a causal mask of dynamic size; the operator `Attention` itself is of opset 23.

use burn_ir::{AttentionOpIr, ModuleOperationIr, OperationIr, ScalarIr};

use super::{Context, Lowered, Lowering, Operation};
use crate::Result;
use crate::ir::{Attribute, Attributes, Constant, ElementType, ValueId, attributes};
use crate::shapes::Dim;

pub(super) const LOWERING: Lowering = Lowering { name: "attention", operations: OPERATIONS, lower };

const OPERATIONS: &[Operation] =
    &[Operation::new("Module::Attention", "Transpose, MatMul, Mul, Div, Tanh, Where, Add, Softmax, Range, Greater")];

fn lower(context: &mut Context<'_>, operation: &OperationIr) -> Result<Lowered> {
    let OperationIr::Module(ModuleOperationIr::Attention(ir)) = operation else { return Ok(Lowered::NotMine) };
    let dtype = ElementType::from_burn(ir.query.dtype)?;
    let mut scores = scores(context, ir, dtype)?;
    let masks = masks(context, ir)?;
    for mask in &masks {
        let lowest = context.scalar(ScalarIr::Float(f64::NEG_INFINITY), dtype);
        let shape = context.value_shape(scores);
        scores = context.node("Where", &[*mask, lowest, scores], Attributes::new(), dtype, shape);
    }
    if let Some(bias) = &ir.attn_bias {
        let bias = context.input(bias)?;
        scores = context.same("Add", &[scores, bias], Attributes::new());
    }
    let mut weights = context.same("Softmax", &[scores], attributes([("axis", (-1).into())]));
    for mask in &masks {
        // A row without any visible position gives no weight to all of them, where softmax alone gives NaN.
        let zero = context.scalar(ScalarIr::Float(0.0), dtype);
        let shape = context.value_shape(weights);
        weights = context.node("Where", &[*mask, zero, weights], Attributes::new(), dtype, shape);
    }
    let value = context.input(&ir.value)?;
    context.finish(&ir.out, "MatMul", &[weights, value], Attributes::new())?;
    Ok(Lowered::Done)
}

fn scores(context: &mut Context<'_>, ir: &AttentionOpIr, dtype: ElementType) -> Result<ValueId> {
    let (query, key) = (context.input(&ir.query)?, context.input(&ir.key)?);
    let (query_shape, key_shape) = (context.shape(&ir.query), context.shape(&ir.key));
    let width = context.fixed_shape(&ir.query, 3..4)?[0];
    let swapped = vec![key_shape[0].clone(), key_shape[1].clone(), key_shape[3].clone(), key_shape[2].clone()];
    let permutation = attributes([("perm", Attribute::Ints(vec![0, 1, 3, 2]))]);
    let key = context.node("Transpose", &[key], permutation, dtype, swapped);
    let mut shape = query_shape;
    shape[3] = key_shape[2].clone();
    let scores = context.node("MatMul", &[query, key], Attributes::new(), dtype, shape);
    let scale = ir.options.scale.unwrap_or(ScalarIr::Float(1.0 / (width as f64).sqrt()));
    let scale = context.scalar(scale, dtype);
    let scores = context.same("Mul", &[scores, scale], Attributes::new());
    let Some(cap) = ir.options.softcap else { return Ok(scores) };
    let cap = context.scalar(cap, dtype);
    let scaled = context.same("Div", &[scores, cap], Attributes::new());
    let bounded = context.same("Tanh", &[scaled], Attributes::new());
    Ok(context.same("Mul", &[bounded, cap], Attributes::new()))
}

fn masks(context: &mut Context<'_>, ir: &AttentionOpIr) -> Result<Vec<ValueId>> {
    let mut masks = Vec::new();
    if let Some(mask) = &ir.mask {
        masks.push(context.input(mask)?);
    }
    if ir.options.is_causal {
        masks.push(causal(context, ir)?);
    }
    Ok(masks)
}

/// `[.., queries, keys]`, true where the key lies behind the query, both counted from the end.
fn causal(context: &mut Context<'_>, ir: &AttentionOpIr) -> Result<ValueId> {
    let (queries, keys) = (context.shape(&ir.query)[2].clone(), context.shape(&ir.key)[2].clone());
    if let (Some(queries), Some(keys)) = (queries.fixed(), keys.fixed()) {
        let hidden = |query: i64, key: i64| u8::from(key + queries > query + keys);
        let bytes = (0..queries).flat_map(|query| (0..keys).map(move |key| hidden(query, key))).collect();
        let dims = vec![1, 1, queries as usize, keys as usize];
        return Ok(context.constant(Constant::from_bytes(ElementType::Bool, dims, bytes)));
    }
    let integers = ElementType::I64;
    let rows = context.range(&queries)?;
    let target = context.constant(Constant::i64s(&[-1, 1]));
    let column = [queries.clone(), Dim::Fixed(1)];
    let mut rows = context.apply("Reshape", &[rows, target], integers, &column);
    if queries != keys {
        let ends = [context.integers(std::slice::from_ref(&keys))?, context.integers(std::slice::from_ref(&queries))?];
        let ahead = context.apply("Sub", &ends, integers, &[Dim::Fixed(1)]);
        rows = context.apply("Add", &[rows, ahead], integers, &column);
    }
    let columns = context.range(&keys)?;
    Ok(context.apply("Greater", &[columns, rows], ElementType::Bool, &[queries, keys]))
}
