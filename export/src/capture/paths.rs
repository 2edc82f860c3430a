//! Which module an operation comes from.

use std::collections::BTreeMap;

use burn_ir::{OperationIr, TensorId};

/// The path of the source module of every operation.
///
/// A trace does not record modules, but it is in their order. An operation that reads parameters belongs to the module
/// that owns them. One that reads none belongs to the deepest module that owns both its neighbours that do.
pub(crate) fn module_paths(operations: &[OperationIr], parameters: &BTreeMap<TensorId, String>) -> Vec<String> {
    let owners: Vec<Option<String>> = operations.iter().map(|operation| owner(operation, parameters)).collect();
    let mut next: Vec<Option<&String>> = vec![None; owners.len()];
    let mut following = None;
    for (index, owner) in owners.iter().enumerate().rev() {
        following = owner.as_ref().or(following);
        next[index] = following;
    }
    let mut previous: Option<&String> = None;
    let mut paths = Vec::with_capacity(owners.len());
    for (index, owner) in owners.iter().enumerate() {
        previous = owner.as_ref().or(previous);
        let path = match (owner, previous, next[index]) {
            (Some(owner), _, _) => owner.clone(),
            (None, Some(previous), Some(next)) => shared_prefix(previous, next),
            _ => String::new(),
        };
        paths.push(path);
    }
    paths
}

fn owner(operation: &OperationIr, parameters: &BTreeMap<TensorId, String>) -> Option<String> {
    let mut owner: Option<String> = None;
    for tensor in operation.inputs() {
        let Some(name) = parameters.get(&tensor.id) else { continue };
        let module = name.rsplit_once('.').map_or("", |(module, _)| module);
        owner = Some(owner.map_or_else(|| module.to_string(), |owner| shared_prefix(&owner, module)));
    }
    owner
}

fn shared_prefix(a: &str, b: &str) -> String {
    let parts: Vec<&str> = a.split('.').zip(b.split('.')).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_end_at_module_borders() {
        let cases = [
            ("layer1.0.bn1", "layer1.0.conv2", "layer1.0"),
            ("layer1", "layer10", ""),
            ("a.b", "a.b", "a.b"),
            ("", "a", ""),
        ];
        for (a, b, expected) in cases {
            assert_eq!(shared_prefix(a, b), expected, "{a} and {b}");
        }
    }
}
