//! The graph as text, one line a node.

use std::fmt::Write;

use super::{Graph, ValueId};

impl Graph {
    /// Writes inputs, nodes and outputs as text for people to read and compare.
    pub fn dump(&self) -> String {
        let mut text = String::new();
        for id in &self.inputs {
            let _ = writeln!(text, "input {}", self.typed(*id));
        }
        for node in &self.nodes {
            let inputs: Vec<_> = node.inputs.iter().map(|id| id.map_or("-".to_string(), |id| self.short(id))).collect();
            let outputs: Vec<_> = node.outputs.iter().map(|id| self.typed(*id)).collect();
            let attributes: Vec<_> = node.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let _ = writeln!(
                text,
                "{} = {}({}) {{{}}} # {}",
                outputs.join(", "),
                node.op,
                inputs.join(", "),
                attributes.join(", "),
                node.path
            );
        }
        for output in &self.outputs {
            let _ = writeln!(text, "output {} = {}", output.name, self.typed(output.value));
        }
        text
    }

    /// The shape of a value as text, such as `[batch, 3, 32, 32]`.
    pub fn shape_text(&self, id: ValueId) -> String {
        let dims: Vec<_> = self.value(id).shape.iter().map(|dim| dim.text(&self.symbols)).collect();
        format!("[{}]", dims.join(", "))
    }

    fn short(&self, id: ValueId) -> String {
        let value = self.value(id);
        match (&value.name, &value.constant) {
            (Some(name), _) => name.clone(),
            (None, Some(constant)) => constant.to_string(),
            (None, None) => format!("%{}", id.0),
        }
    }

    fn typed(&self, id: ValueId) -> String {
        format!("{}: {}{}", self.short(id), self.value(id).dtype.name(), self.shape_text(id))
    }
}
