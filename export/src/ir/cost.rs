//! What a graph costs: nodes, floating point operations, bytes.

use super::{Attribute, Graph, Node, ValueId};
use crate::shapes::Dim;

/// The size of a graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Nodes.
    pub nodes: u64,
    /// Floating point operations with every dynamic axis at 1: two for each product and its sum in `Conv`,
    /// `ConvTranspose`, `Gemm`, `MatMul` and recurrent layers, one for each number that another operator computes. Nodes
    /// of a size that is only known at run time are left out.
    pub flops: u64,
    /// Bytes of the constants.
    pub bytes: u64,
}

impl Graph {
    /// The size of the graph.
    pub fn cost(&self) -> Cost {
        let flops = self.nodes.iter().filter_map(|node| self.flops(node)).sum();
        Cost { nodes: self.nodes.len() as u64, flops, bytes: self.constant_bytes() as u64 }
    }

    fn flops(&self, node: &Node) -> Option<u64> {
        const MOVE: [&str; 8] = ["Cast", "Concat", "Expand", "Identity", "Reshape", "Slice", "Transpose", "Unsqueeze"];
        let count: u64 = self.sizes(*node.outputs.first()?)?.iter().product();
        let depth = match node.op.as_str() {
            "Conv" => self.sizes(node.input(1)?)?.iter().skip(1).product(),
            "ConvTranspose" => {
                // Every number of the input meets the weights of its channel.
                let count: u64 = self.sizes(node.input(0)?)?.iter().product();
                let weights: u64 = self.sizes(node.input(1)?)?.iter().skip(1).product();
                return Some(2 * count * weights);
            }
            "Gemm" if node.attributes.get("transA") == Some(&Attribute::Int(1)) => {
                *self.sizes(node.input(0)?)?.first()?
            }
            "LSTM" | "GRU" | "RNN" => {
                // Every step meets all weights of the input and of the state.
                let steps: u64 = self.sizes(node.input(0)?)?.iter().take(2).product();
                let weights = |index| Some(self.sizes(node.input(index)?)?.iter().product::<u64>());
                return Some(2 * steps * (weights(1)? + weights(2)?));
            }
            "Gemm" | "MatMul" => *self.sizes(node.input(0)?)?.last()?,
            op if MOVE.contains(&op) => return None,
            _ => return Some(count),
        };
        Some(2 * count * depth)
    }

    fn sizes(&self, id: ValueId) -> Option<Vec<u64>> {
        let ones = vec![1; self.symbols.len()];
        let size = |dim: &Dim| dim.evaluate(&ones).and_then(|size| u64::try_from(size).ok());
        self.value(id).shape.iter().map(size).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Attributes, Constant, ElementType, Value};

    #[test]
    fn products_count_twice_and_moves_not_at_all() {
        let mut graph = Graph::default();
        let value = |sizes: [i64; 2]| Value::computed(ElementType::F32, sizes.map(Dim::Fixed).to_vec());
        let x = graph.push_value(value([1, 3]));
        let w = graph.push_value(Value::constant(Constant::f32(vec![3, 4], &[0.0; 12]), None));
        let [y, z, t] = [[1, 4], [1, 4], [4, 1]].map(|sizes| graph.push_value(value(sizes)));
        for (op, inputs, output) in [("MatMul", vec![x, w], y), ("Relu", vec![y], z), ("Transpose", vec![z], t)] {
            graph.nodes.push(Node::new(op, &inputs, vec![output], Attributes::new(), ""));
        }
        assert_eq!(graph.cost(), Cost { nodes: 3, flops: 2 * 3 * 4 + 4, bytes: 48 });
    }
}
