//! What a file that this crate did not write holds beside its nodes, weights and metadata.

/// The encoded fields of a file that are written again as they were read.
#[derive(Debug, Default)]
pub(crate) struct Shell {
    /// Fields of the model: versions, opsets, functions, producer.
    pub model: Vec<u8>,
    /// Fields of the graph: its name, inputs, outputs, initialisers that no pass understands.
    pub graph: Vec<u8>,
    /// Fields of the graph that tell the type of a value, by the name of the value.
    pub value_infos: Vec<(String, Vec<u8>)>,
}
