//! `Gemm(a, b, c)` → `Add(MatMul(a, b), c)`.

use super::wiring::Wiring;
use crate::Result;
use crate::ir::{Attributes, Graph, Node};
use crate::passes::{Outcome, Pass, Patch};

pub(super) struct SplitGemm;

impl Pass for SplitGemm {
    fn name(&self) -> &'static str {
        "split_gemm"
    }

    fn run(&self, graph: &Graph) -> Result<Outcome> {
        let mut patch = Patch::of(graph);
        let mut reason = "no Gemm has a bias".to_string();
        for (index, gemm) in graph.nodes.iter().enumerate().filter(|(_, node)| node.is("Gemm")) {
            let (Some(a), Some(b), Some(bias)) = (gemm.input(0), gemm.input(1), gemm.input(2)) else { continue };
            if !is_plain(gemm) {
                reason = format!("{}: it transposes or scales", gemm.label());
                continue;
            }
            let out = graph.value(gemm.outputs[0]);
            let mut wiring = Wiring::of(graph, &mut patch, gemm);
            let product = wiring.apply("MatMul", &[a, b], (out.dtype, &out.shape), Attributes::new());
            wiring.finish(index, "Add", &[product, bias], Attributes::new());
        }
        Ok(if patch.is_empty() { Outcome::Unchanged(reason) } else { Outcome::Changed(patch) })
    }
}

/// Whether it is a product and a sum and nothing more.
fn is_plain(gemm: &Node) -> bool {
    gemm.attributes.is_empty()
}
