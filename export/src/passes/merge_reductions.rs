//! `Reshape(Reduce(Reshape(x)))` → `Reduce(x)`: a reduction takes over the axes that are merged before it, and drops those that
//! are dropped after it.

use super::pattern::Pattern;
use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::ir::{Attribute, Constant, Graph, Node, Value};
use crate::shapes::Dim;

const REDUCTIONS: [&str; 10] = [
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
];

pub(super) struct MergeReductions;

impl Pass for MergeReductions {
    fn name(&self) -> &'static str {
        "merge_reductions"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let pattern = Pattern::of(graph);
        let mut patch = Patch::of(graph);
        let mut reason = "no Reshape stands beside a reduction".to_string();
        for (index, node) in graph.nodes.iter().enumerate() {
            let Some(inner) = node.input(0).and_then(|id| pattern.uses.producer(id)) else { continue };
            let before = &graph.nodes[inner];
            let is_pair = is_reduction(before) && node.is("Reshape") || before.is("Reshape") && is_reduction(node);
            if !is_pair || !before.is_known() || !node.is_known() || patch.touches(inner) {
                continue;
            }
            if !pattern.uses.has_one_consumer(before.outputs[0]) {
                reason = format!("{}: what lies between has another reader", node.label());
                continue;
            }
            let merged = match node.is("Reshape") {
                true => dropping(&pattern, before, node),
                false => merging(&pattern, &mut patch, before, node),
            };
            let Some(merged) = merged else {
                reason = format!("{}: the axes of the Reshape are not those of the reduction", node.label());
                continue;
            };
            patch.replace(inner, vec![]);
            patch.replace(index, vec![merged]);
            patch.fired(node.label());
        }
        Ok(if patch.is_empty() { Outcome::Unchanged(reason) } else { Outcome::Changed(patch) })
    }
}

fn is_reduction(node: &Node) -> bool {
    REDUCTIONS.iter().any(|op| node.is(op))
}

/// The reduction without the axes of size 1 that it leaves, when `reshape` does nothing but drop them.
fn dropping(pattern: &Pattern<'_>, reduction: &Node, reshape: &Node) -> Option<Node> {
    let kept = &pattern.graph.value(reduction.outputs[0]).shape;
    let axes = positive(&pattern.reduced_axes(reduction)?, kept.len())?;
    let left: Vec<&Dim> =
        kept.iter().enumerate().filter(|(axis, _)| !axes.contains(axis)).map(|(_, dim)| dim).collect();
    if !same(left.into_iter(), pattern.graph.value(reshape.outputs[0]).shape.iter()) {
        return None;
    }
    let mut merged = Node { outputs: reshape.outputs.clone(), ..reduction.clone() };
    merged.attributes.insert("keepdims".into(), Attribute::Int(0));
    Some(merged)
}

/// The reduction over all axes that `reshape` merges into the one that is reduced and dropped, when it does nothing else.
fn merging(pattern: &Pattern<'_>, patch: &mut Patch, reshape: &Node, reduction: &Node) -> Option<Node> {
    if reduction.attributes.get("keepdims") != Some(&Attribute::Int(0)) {
        return None;
    }
    let source = reshape.input(0)?;
    let (whole, flat) = (&pattern.graph.value(source).shape, &pattern.graph.value(reshape.outputs[0]).shape);
    let [axis] = positive(&pattern.axes(reduction)?, flat.len())?[..] else { return None };
    let end = (whole.len() + axis + 1).checked_sub(flat.len()).filter(|end| *end > axis)?;
    let around = |dims: &[Dim], end: usize| dims[..axis].iter().chain(&dims[end..]).cloned().collect::<Vec<_>>();
    if !same(around(whole, end).iter(), around(flat, axis + 1).iter()) {
        return None;
    }
    let axes: Vec<i64> = (axis as i64..end as i64).collect();
    let mut merged = reduction.clone();
    merged.inputs[0] = Some(source);
    match merged.inputs.get_mut(1) {
        Some(input) => *input = Some(patch.add_value(Value::constant(Constant::i64s(&axes), None))),
        None => drop(merged.attributes.insert("axes".into(), Attribute::Ints(axes))),
    }
    Some(merged)
}

/// Axes that count from the front.
fn positive(axes: &[i64], rank: usize) -> Option<Vec<usize>> {
    axes.iter().map(|axis| usize::try_from(if *axis < 0 { axis + rank as i64 } else { *axis }).ok()).collect()
}

/// Whether two shapes are the same at every size; of sizes that are only known at run time nobody can say.
fn same<'d>(left: impl ExactSizeIterator<Item = &'d Dim>, right: impl ExactSizeIterator<Item = &'d Dim>) -> bool {
    left.len() == right.len() && left.zip(right).all(|(left, right)| left == right && !matches!(left, Dim::Opaque(_)))
}
