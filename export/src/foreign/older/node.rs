//! A node of an older opset while it gets its newer form.

use tract_onnx::pb::{AttributeProto, NodeProto};

use super::file::File;
use crate::emit::attribute_message;
use crate::ir::{Attribute, Attributes, Constant, attributes};

/// A node, the nodes that come to stand around it, and the file that it is of.
pub(super) struct Old<'f, 'm> {
    pub node: NodeProto,
    pub file: &'f mut File<'m>,
    before: Vec<NodeProto>,
    after: Vec<NodeProto>,
}

impl<'f, 'm> Old<'f, 'm> {
    pub fn new(node: NodeProto, file: &'f mut File<'m>) -> Self {
        Self { node, file, before: vec![], after: vec![] }
    }

    /// What the file gets in its place.
    pub fn nodes(self) -> impl Iterator<Item = NodeProto> {
        self.before.into_iter().chain([self.node]).chain(self.after)
    }

    /// Gives the operator another name.
    pub fn rename(&mut self, operator: &str) -> Result<(), String> {
        self.node.op_type = operator.to_string();
        Ok(())
    }

    /// Takes an attribute away.
    pub fn take(&mut self, name: &str) -> Option<AttributeProto> {
        let place = self.node.attribute.iter().position(|attribute| attribute.name == name)?;
        Some(self.node.attribute.remove(place))
    }

    /// The text of an attribute.
    pub fn text(&self, name: &str) -> Option<&str> {
        let attribute = self.node.attribute.iter().find(|attribute| attribute.name == name)?;
        std::str::from_utf8(&attribute.s).ok()
    }

    /// Adds an attribute.
    pub fn set(&mut self, name: &str, value: impl Into<Attribute>) {
        self.node.attribute.push(attribute_message(name, &value.into()));
    }

    /// Makes a constant the input at this place; those before it that are not there have no name.
    pub fn set_input(&mut self, place: usize, what: &str, constant: Constant) {
        let name = self.fresh(what);
        let value = attributes([("value", Attribute::Tensor(constant))]);
        self.before.push(node("Constant", &[], &name, &value));
        if self.node.input.len() <= place {
            self.node.input.resize(place + 1, String::new());
        }
        self.node.input[place] = name;
    }

    /// Lets a new node stand between an input and this node, which reads the new node's output.
    pub fn put_before(&mut self, operator: &str, what: &str, attributes: &Attributes) {
        let (name, input) = (self.fresh(what), self.node.input[0].clone());
        self.before.push(node(operator, &[&input], &name, attributes));
        self.node.input[0] = name;
    }

    /// Lets a new node make the output from what this node makes and another value.
    pub fn put_behind(&mut self, operator: &str, what: &str, other: &str) {
        let name = self.fresh(what);
        let output = std::mem::replace(&mut self.node.output[0], name.clone());
        self.after.push(node(operator, &[&name, other], &output, &Attributes::new()));
    }

    /// A new value beside the node: this operator of one of its inputs.
    pub fn beside(&mut self, operator: &str, input: &str) -> String {
        let name = self.fresh(&operator.to_lowercase());
        self.before.push(node(operator, &[input], &name, &Attributes::new()));
        name
    }

    /// A name that no value of the file has.
    fn fresh(&mut self, what: &str) -> String {
        let first = format!("{}/{what}", self.node.output[0]);
        let mut names = (0..).map(|count| if count == 0 { first.clone() } else { format!("{first}_{count}") });
        let name = names.find(|name| !self.file.names.contains(name)).unwrap_or_default();
        self.file.names.insert(name.clone());
        name
    }
}

fn node(operator: &str, inputs: &[&str], output: &str, attributes: &Attributes) -> NodeProto {
    NodeProto {
        op_type: operator.to_string(),
        input: inputs.iter().map(ToString::to_string).collect(),
        output: vec![output.to_string()],
        attribute: attributes.iter().map(|(name, value)| attribute_message(name, value)).collect(),
        ..Default::default()
    }
}
