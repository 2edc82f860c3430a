//! Unique names of values and nodes, by module path where it is known.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::{Graph, Node, ValueId, Verbatim};

/// The name of every value that is read or made, and of every node.
pub(super) struct Names {
    pub values: BTreeMap<ValueId, String>,
    pub nodes: Vec<String>,
}

impl Names {
    /// Names inputs and outputs as the caller wishes, parameters by their path, the rest by path and operator.
    pub fn of(graph: &Graph) -> Self {
        let verbatim = graph.nodes.iter().filter_map(|node| node.verbatim.as_ref());
        let mut taken: BTreeSet<String> = verbatim.flat_map(|verbatim| verbatim.inner.iter().cloned()).collect();
        let mut values = BTreeMap::new();
        for id in &graph.inputs {
            values.insert(*id, claim(&mut taken, graph.value(*id).name.clone().unwrap_or_default()));
        }
        for output in &graph.outputs {
            taken.insert(output.name.clone());
            if !values.contains_key(&output.value) && graph.constant(output.value).is_none() {
                values.insert(output.value, output.name.clone());
            }
        }
        for id in graph.nodes.iter().flat_map(|node| &node.outputs) {
            if let Some(name) = &graph.value(*id).name {
                values.entry(*id).or_insert_with(|| claim(&mut taken, name.clone()));
            }
        }
        let read = graph.nodes.iter().flat_map(|node| node.inputs.iter().flatten().map(move |id| (node, *id)));
        let returned = graph.outputs.iter().map(|output| output.value);
        for id in read.clone().map(|(_, id)| id).chain(returned.clone()) {
            if let (Some(name), true) = (&graph.value(id).name, graph.constant(id).is_some()) {
                values.entry(id).or_insert_with(|| claim(&mut taken, name.clone()));
            }
        }
        for (node, id) in read {
            if graph.constant(id).is_some() {
                values.entry(id).or_insert_with(|| claim(&mut taken, format!("{}/constant", node.label())));
            }
        }
        for id in returned {
            if graph.constant(id).is_some() {
                values.entry(id).or_insert_with(|| claim(&mut taken, "constant".to_string()));
            }
        }
        let mut nodes = Vec::with_capacity(graph.nodes.len());
        for node in &graph.nodes {
            // A file that was read may name nodes as it likes, and one as another.
            let name = node.name.clone().unwrap_or_else(|| claim(&mut taken, node.label()));
            for (index, id) in node.outputs.iter().enumerate() {
                values.entry(*id).or_insert_with(|| claim(&mut taken, format!("{name}/output_{index}")));
            }
            nodes.push(name);
        }
        Self { values, nodes }
    }

    /// The new name of every value that a node of another writer names.
    pub fn changed<'n>(&'n self, node: &Node, verbatim: &'n Verbatim) -> BTreeMap<&'n str, &'n str> {
        let inputs = verbatim.inputs.iter().zip(&node.inputs).filter_map(|(name, id)| Some((name, (*id)?)));
        let outputs = verbatim.outputs.iter().zip(node.outputs.iter().copied());
        let named = |(name, id): (&'n String, ValueId)| Some((name.as_str(), self.values.get(&id)?.as_str()));
        inputs.chain(outputs).filter(|(name, _)| !name.is_empty()).filter_map(named).collect()
    }

    /// The names that a file of another writer gave to values which are still there.
    pub fn kept<'n>(&'n self, graph: &'n Graph) -> BTreeSet<&'n str> {
        let own = |(id, name): &(&ValueId, &String)| graph.value(**id).name.as_ref() == Some(*name);
        self.values.iter().filter(own).map(|(_, name)| name.as_str()).collect()
    }
}

/// The name itself, or with the first free number behind it.
fn claim(taken: &mut BTreeSet<String>, name: String) -> String {
    let mut free = name.clone();
    let mut number = 1;
    while !taken.insert(free.clone()) {
        free = format!("{name}_{number}");
        number += 1;
    }
    free
}
