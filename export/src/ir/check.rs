//! The verifier: every rule a graph must keep.

use std::collections::BTreeSet;

use super::{Graph, ValueId, division};
use crate::{Error, Result};

impl Graph {
    /// Checks that every value has one source and is made before it is read.
    ///
    /// # Errors
    /// [`Error::InvalidGraph`] names `stage`, the node and the broken rule.
    pub fn check(&self, stage: &str) -> Result<()> {
        self.broken_rule().map_or(Ok(()), |reason| Err(Error::InvalidGraph { stage: stage.to_string(), reason }))
    }

    fn broken_rule(&self) -> Option<String> {
        let mut known = vec![false; self.values.len()];
        for (index, value) in self.values.iter().enumerate() {
            let Some(constant) = &value.constant else { continue };
            known[index] = true;
            let dims: Vec<usize> = constant.dims().to_vec();
            if value.fixed_shape().as_ref() != Some(&dims) || value.dtype != constant.dtype() {
                return Some(format!("constant {index} is declared {:?} but holds {constant}", value.shape));
            }
            if constant.bytes().len() != dims.iter().product::<usize>() * constant.dtype().size() {
                return Some(format!("constant {index} has the wrong number of bytes for {constant}"));
            }
        }
        for id in &self.inputs {
            if known[id.0] {
                return Some(format!("input {} is also a constant or listed twice", id.0));
            }
            known[id.0] = true;
        }
        for node in &self.nodes {
            let missing = |id: &ValueId| !known.get(id.0).copied().unwrap_or(false);
            if let Some(id) = node.inputs.iter().flatten().find(|id| missing(id)) {
                return Some(format!("{} reads value {} before it is made", node.label(), id.0));
            }
            if let Some(reason) = division::impossible(self, node) {
                return Some(format!("{} {reason}", node.label()));
            }
            for id in &node.outputs {
                if known.get(id.0).copied() != Some(false) {
                    return Some(format!("{} makes value {} a second time", node.label(), id.0));
                }
                known[id.0] = true;
            }
        }
        let mut names = BTreeSet::new();
        for output in &self.outputs {
            if !known.get(output.value.0).copied().unwrap_or(false) {
                return Some(format!("output `{}` is never made", output.name));
            }
            if !names.insert(&output.name) {
                return Some(format!("two outputs are called `{}`", output.name));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Attributes, ElementType, GraphOutput, Node, Value};
    use crate::shapes::Dim;

    #[test]
    fn broken_graphs_are_refused_with_a_reason() {
        let value = || Value::computed(ElementType::F32, vec![Dim::Fixed(2)]);
        let relu = |input, output| Node::new("Relu", &[ValueId(input)], vec![ValueId(output)], Attributes::new(), "m");
        let graph = |nodes| Graph {
            values: vec![value(), value(), value()],
            nodes,
            inputs: vec![ValueId(0)],
            outputs: vec![GraphOutput { name: "y".into(), value: ValueId(2) }],
            ..Graph::default()
        };
        let cases = [
            (graph(vec![relu(0, 1), relu(1, 2)]), None),
            (graph(vec![relu(1, 2), relu(0, 1)]), Some("before it is made")),
            (graph(vec![relu(0, 1), relu(0, 1)]), Some("a second time")),
            (graph(vec![relu(0, 1)]), Some("never made")),
        ];
        for (index, (graph, expected)) in cases.iter().enumerate() {
            let found = graph.check("the test").err().map(|e| e.to_string());
            match (expected, &found) {
                (None, None) => {}
                (Some(part), Some(text)) if text.contains(part) && text.contains("the test") => {}
                _ => panic!("case {index}: expected {expected:?}, found {found:?}"),
            }
        }
    }
}
