//! The compiled model.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::TensorData;

use crate::emit::{self, Header, Shell};
use crate::ir::{ElementType, Graph, ValueId};
use crate::passes::{Driver, PassReport, Target};
use crate::{Error, Result, samples};

/// Numbers that are drawn for one input at most.
const MOST_DRAWN: usize = 1 << 30;

/// A module compiled to ONNX, ready to be written.
#[derive(Clone, Debug)]
pub struct Model {
    graph: Graph,
    header: Header,
    report: PassReport,
}

/// One input of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputSpec {
    /// Name.
    pub name: String,
    /// Element type.
    pub dtype: ElementType,
    /// Sizes as text: a number, or the name of a dynamic axis.
    pub shape: Vec<String>,
}

/// One output of a model.
pub type OutputSpec = InputSpec;

impl Model {
    pub(crate) fn new(
        graph: Graph,
        name: String,
        doc: String,
        metadata: BTreeMap<String, String>,
        report: PassReport,
    ) -> Self {
        Self { graph, header: Header { name, doc, metadata, shell: None }, report }
    }

    /// A model of another writer.
    pub(crate) fn foreign(graph: Graph, metadata: BTreeMap<String, String>, shell: Shell) -> Self {
        let header = Header { metadata, shell: Some(Arc::new(shell)), ..Header::default() };
        Self { graph, header, report: PassReport::default() }
    }

    /// A model of this crate that was read from its file.
    pub(crate) fn read_again(mut self, name: String, doc: String) -> Self {
        self.header = Header { name, doc, shell: None, ..self.header };
        self.report.nodes = (self.graph.nodes.len(), self.graph.nodes.len());
        self
    }

    /// Adds or replaces an entry of the metadata.
    pub fn set_metadata(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.header.metadata.insert(key.into(), value.into());
    }

    /// An entry of the metadata.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        self.header.metadata.get(key).map(String::as_str)
    }

    /// The graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(crate) fn graph_mut(&mut self) -> &mut Graph {
        &mut self.graph
    }

    /// What every pass did, or why it did nothing.
    pub fn report(&self) -> &PassReport {
        &self.report
    }

    /// Rewrites the model for a runtime; [`Export::target`](crate::Export::target) does so while it compiles.
    ///
    /// # Errors
    /// [`Error::TargetOpset`]: the runtime does not read the opset that the model has.
    pub fn rewrite_for(&mut self, target: &Target) -> Result<()> {
        let driver = Driver { skip: true, target: Some(target.clone()), ..Driver::default() };
        self.report = driver.run(&mut self.graph)?;
        Ok(())
    }

    /// The inputs.
    pub fn inputs(&self) -> Vec<InputSpec> {
        let name = |id: &ValueId| self.graph.value(*id).name.clone().unwrap_or_default();
        self.graph.inputs.iter().map(|id| self.spec(name(id), *id)).collect()
    }

    /// The outputs.
    pub fn outputs(&self) -> Vec<OutputSpec> {
        self.graph.outputs.iter().map(|output| self.spec(output.name.clone(), output.value)).collect()
    }

    /// The names of the dynamic axes.
    pub fn dynamic_axes(&self) -> Vec<&str> {
        self.graph.symbols.iter().map(|symbol| symbol.name.as_str()).collect()
    }

    /// Seeded random inputs at the given sizes of the dynamic axes.
    ///
    /// # Errors
    /// A dynamic axis without a size, or an element type without random numbers.
    pub fn random_inputs(&self, sizes: &[(&str, usize)], seed: u64) -> Result<Vec<TensorData>> {
        self.random(&self.graph.inputs, sizes, seed)
    }

    /// The same for some of the inputs.
    pub(crate) fn random(&self, inputs: &[ValueId], sizes: &[(&str, usize)], seed: u64) -> Result<Vec<TensorData>> {
        let size = |name: &str| sizes.iter().find(|(known, _)| *known == name).map(|(_, size)| *size);
        let chosen: Vec<usize> = self
            .graph
            .symbols
            .iter()
            .map(|symbol| {
                size(&symbol.name).ok_or_else(|| Error::Request(format!("no size is given for axis `{}`", symbol.name)))
            })
            .collect::<Result<_>>()?;
        let mut drawn = Vec::new();
        for (index, id) in inputs.iter().enumerate() {
            let value = self.graph.value(*id);
            let dims = value.shape.iter().map(|dim| dim.evaluate(&chosen).and_then(|size| usize::try_from(size).ok()));
            let dims: Option<Vec<usize>> = dims.collect();
            let dims = dims.ok_or_else(|| Error::Request(format!("input {index} has no known shape")))?;
            if dims
                .iter()
                .try_fold(1usize, |count, size| count.checked_mul(*size))
                .is_none_or(|count| count > MOST_DRAWN)
            {
                return Err(Error::Request(format!(
                    "input {index} of the sizes {dims:?} holds too many numbers to draw them; choose smaller sizes of its \
                     dynamic axes"
                )));
            }
            drawn.push(samples::random(value.dtype, &dims, seed.wrapping_add(index as u64))?);
        }
        Ok(drawn)
    }

    /// The bytes of the ONNX file.
    ///
    /// # Errors
    /// [`Error::TooLarge`]: the model is larger than one file can be.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        emit::to_bytes(&self.graph, &self.header)
    }

    /// Writes the ONNX file: beside its place first, then moved there, so that no half-written file is ever seen. Where
    /// the weights pass the 2 GiB that one file can hold, they go to a second one as by [`Model::save_external`].
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        emit::save(&self.graph, &self.header, path.as_ref())
    }

    /// Writes the ONNX file with its weights in a second file beside it, which is called as the first with `.data` behind.
    /// Both are written beside their places, then moved there, the weights first. The metadata of the first hold the SHA-256
    /// of the second (`selfie.data.sha256`), so that a pair which does not fit is noticed.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn save_external(&self, path: impl AsRef<Path>) -> Result<()> {
        emit::save_external(&self.graph, &self.header, path.as_ref())
    }

    fn spec(&self, name: String, id: ValueId) -> InputSpec {
        let value = self.graph.value(id);
        let shape = value.shape.iter().map(|dim| dim.text(&self.graph.symbols)).collect();
        InputSpec { name, dtype: value.dtype, shape }
    }
}
