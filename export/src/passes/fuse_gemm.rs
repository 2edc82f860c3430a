//! `Add(MatMul(a, b), c)` → `Gemm(a, b, c)` where `a` and `b` are matrices.

use super::{Outcome, Pass, Patch};
use crate::Result;
use crate::ir::{Graph, Node, Uses, ValueId};
use crate::shapes::Dim;

pub(super) struct FuseGemm;

impl Pass for FuseGemm {
    fn name(&self) -> &'static str {
        "fuse_gemm"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let uses = Uses::of(graph);
        let mut patch = Patch::of(graph);
        let mut reason = "no Add follows a MatMul".to_string();
        for (index, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is("Add")) {
            let (Some(left), Some(right)) = (node.input(0), node.input(1)) else { continue };
            for (product, bias) in [(left, right), (right, left)] {
                let Some(matmul) = uses.producer(product).filter(|i| graph.nodes[*i].is("MatMul")) else { continue };
                match refusal(graph, &uses, node, matmul, bias) {
                    Some(why) => reason = format!("{}: {why}", node.label()),
                    None => {
                        let inputs = [graph.nodes[matmul].inputs.clone(), vec![Some(bias)]].concat();
                        let gemm = Node { op: "Gemm".to_string(), inputs, ..node.clone() };
                        patch.replace(matmul, vec![]);
                        patch.replace(index, vec![gemm]);
                        patch.fired(node.label());
                        break;
                    }
                }
            }
        }
        Ok(if patch.is_empty() { Outcome::Unchanged(reason) } else { Outcome::Changed(patch) })
    }
}

fn refusal(graph: &Graph, uses: &Uses, add: &Node, matmul: usize, bias: ValueId) -> Option<&'static str> {
    let matmul = &graph.nodes[matmul];
    let out = &graph.value(add.outputs[0]).shape;
    let bias = &graph.value(bias).shape;
    if matmul.inputs.iter().flatten().any(|id| graph.value(*id).shape.len() != 2) {
        return Some("an operand of the MatMul is no matrix");
    }
    if !graph.value(add.outputs[0]).dtype.is_float() {
        return Some("Gemm of integers is not wide-spread");
    }
    if !uses.has_one_consumer(matmul.outputs[0]) {
        return Some("the product has another reader");
    }
    let fits = bias.len() <= 2
        && graph.value(matmul.outputs[0]).shape == *out
        && bias.iter().rev().zip(out.iter().rev()).all(|(size, full)| size == full || *size == Dim::Fixed(1));
    (!fits).then_some("the bias does not broadcast to the product")
}
