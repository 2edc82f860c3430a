//! Which names a subgraph takes from the graph around it.

use std::collections::BTreeSet;

use tract_onnx::pb::{GraphProto, NodeProto};

/// The names inside the subgraphs of a node.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Values of the graph around, in the order in which they are read first.
    pub captured: Vec<String>,
    /// Every other name.
    pub inner: BTreeSet<String>,
}

/// Looks through the subgraphs of a node.
pub(super) fn of(node: &NodeProto) -> Scope {
    let mut scope = Scope::default();
    subgraphs(node).for_each(|graph| graph_names(graph, &BTreeSet::new(), &mut scope));
    scope
}

fn subgraphs(node: &NodeProto) -> impl Iterator<Item = &GraphProto> {
    node.attribute.iter().flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs))
}

fn graph_names(graph: &GraphProto, around: &BTreeSet<String>, scope: &mut Scope) {
    let mut local = around.clone();
    local.extend(graph.input.iter().map(|input| input.name.clone()));
    local.extend(graph.initializer.iter().map(|tensor| tensor.name.clone()));
    let sparse = graph.sparse_initializer.iter().filter_map(|sparse| sparse.values.as_ref());
    local.extend(sparse.map(|tensor| tensor.name.clone()));
    local.extend(graph.node.iter().flat_map(|node| node.output.iter().cloned()));
    for node in &graph.node {
        scope.inner.insert(node.name.clone());
        node.input.iter().for_each(|name| read(name, &local, scope));
        subgraphs(node).for_each(|graph| graph_names(graph, &local, scope));
    }
    graph.output.iter().for_each(|output| read(&output.name, &local, scope));
    scope.inner.extend(local);
}

fn read(name: &str, local: &BTreeSet<String>, scope: &mut Scope) {
    let known = |captured: &String| captured == name;
    if !name.is_empty() && !local.contains(name) && !scope.captured.iter().any(known) {
        scope.captured.push(name.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tract_onnx::pb::{AttributeProto, ValueInfoProto};

    #[test]
    fn what_a_nested_graph_reads_from_outside_is_captured_and_its_own_names_are_not() {
        let node = |inputs: &[&str], output: &str| NodeProto {
            input: inputs.iter().map(ToString::to_string).collect(),
            output: vec![output.to_string()],
            ..Default::default()
        };
        let around = |graph: GraphProto| AttributeProto { g: Some(graph), ..Default::default() };
        let info = |name: &str| ValueInfoProto { name: name.to_string(), ..Default::default() };
        let inner =
            GraphProto { node: vec![node(&["local", "far"], "z")], output: vec![info("z")], ..Default::default() };
        let nested = NodeProto { attribute: vec![around(inner)], ..node(&["i"], "y") };
        let graph = GraphProto {
            input: vec![info("i")],
            node: vec![node(&["near", "i"], "local"), nested],
            output: vec![info("y"), info("returned")],
            ..Default::default()
        };
        let scope = of(&NodeProto { attribute: vec![around(graph)], ..Default::default() });
        assert_eq!(scope.captured, ["near", "far", "returned"]);
        assert!(["i", "local", "y", "z"].iter().all(|name| scope.inner.contains(*name)), "{scope:?}");
    }
}
