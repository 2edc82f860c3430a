//! Nodes that stay in 32-bit floats because someone asked for it.

use crate::ir::{Graph, Node};
use crate::{Error, Result};

/// Patterns of operators (`Softmax`) and of module paths (`encoder.layer1`, which holds everything below it); `*` stands
/// for any text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keep(pub Vec<String>);

impl Keep {
    /// Whether a node is to be kept.
    pub fn holds(&self, node: &Node) -> bool {
        self.0.iter().any(|pattern| meets(pattern, node))
    }

    /// Checks that every pattern meets a node.
    ///
    /// # Errors
    /// [`Error::Request`] names the first pattern that meets none, and the operators there are.
    pub(super) fn check(&self, graph: &Graph) -> Result<()> {
        let idle = self.0.iter().find(|pattern| !graph.nodes.iter().any(|node| meets(pattern, node)));
        idle.map_or(Ok(()), |pattern| {
            let operators: std::collections::BTreeSet<&str> = graph.nodes.iter().map(|node| node.op.as_str()).collect();
            let operators: Vec<&str> = operators.into_iter().collect();
            Err(Error::Request(format!(
                "`{pattern}` is to be kept in float32 but is neither an operator ({}) nor the path of a module here",
                operators.join(", ")
            )))
        })
    }
}

fn meets(pattern: &str, node: &Node) -> bool {
    let below = |path: &str| path.strip_prefix(pattern).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    like(pattern, &node.op) || (!node.path.is_empty() && (below(&node.path) || like(pattern, &node.path)))
}

/// Whether the text is the pattern, in which `*` stands for any text.
fn like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            let ends = text.char_indices().map(|(index, _)| index).chain([text.len()]);
            ends.into_iter().any(|index| like(rest, &text[index..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Attributes;

    #[test]
    fn operators_paths_and_stars_are_met() {
        let node = Node::new("Softmax", &[], vec![], Attributes::new(), "encoder.layer1.attention");
        let cases = [
            ("Softmax", true),
            ("Soft", false),
            ("Soft*", true),
            ("encoder", true),
            ("encoder.layer", false),
            ("encoder.layer1", true),
            ("encoder.layer*", true),
            ("*.attention", true),
            ("*.layer2.*", false),
        ];
        let wrong: Vec<_> = cases.iter().filter(|(pattern, met)| meets(pattern, &node) != *met).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        let graph = Graph { nodes: vec![node], ..Graph::default() };
        let error = Keep(vec!["Softmax".into(), "decoder".into()]).check(&graph).unwrap_err().to_string();
        assert!(error.contains("`decoder`") && error.contains("Softmax"), "{error}");
    }
}
