//! ONNX files that this crate did not write: read, simplified by the same passes, written again.
//!
//! What a pass does not understand stays as it stands in the file, byte by byte: operators of other domains, nodes with
//! subgraphs, functions, types that are no tensors.

mod attribute;
mod older;
mod own;
mod reader;
mod scope;
mod standard;
mod tensor;
mod types;

use std::path::Path;

use burn::tensor::TensorData;

use crate::ir::ValueId;
use crate::passes::{Driver, PassReport};
use crate::{Error, Model, Result};

/// An ONNX file of any writer, with an opset from 7 to 24. One below 13 is brought up to 13 when it is read.
#[derive(Clone, Debug)]
pub struct OnnxFile {
    model: Model,
    /// The inputs that have no number of their own: what a caller must feed.
    fed: Vec<ValueId>,
    /// Inputs that no numbers can be drawn for, each with the reason.
    strange: Vec<String>,
    untouched: usize,
}

impl OnnxFile {
    /// Reads a file, and its external data beside it.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Decode`] says what is wrong with the file, [`Error::UnsupportedOpset`] that its operators
    /// are older or newer than the passes know, [`Error::OldOperator`] which node cannot be brought up to opset 13.
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        reader::read(path.as_ref())
    }

    /// Runs the passes.
    ///
    /// # Errors
    /// A pass fails or leaves a broken graph; see [`Driver::run`].
    pub fn optimize(&mut self, driver: &Driver) -> Result<PassReport> {
        driver.run(self.model.graph_mut())
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.model.graph().nodes.len()
    }

    /// Number of nodes that no pass may change.
    pub fn untouched(&self) -> usize {
        self.untouched
    }

    /// The text of the graph.
    pub fn dump(&self) -> String {
        self.model.graph().dump()
    }

    /// The names of the sizes that are open, those that the file does not name included.
    pub fn dynamic_axes(&self) -> Vec<&str> {
        self.model.dynamic_axes()
    }

    /// Seeded random inputs at the given sizes of the open axes.
    ///
    /// # Errors
    /// An axis without a size, or an input that is no tensor of numbers.
    pub fn random_inputs(&self, sizes: &[(&str, usize)], seed: u64) -> Result<Vec<TensorData>> {
        if let Some(reason) = self.strange.first() {
            return Err(Error::Request(reason.clone()));
        }
        self.model.random(&self.fed, sizes, seed)
    }

    /// Writes the file beside its place, then moves it there; see [`Model::save`].
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.model.save(path)
    }

    /// Writes the file with its weights in a second one; see [`Model::save_external`].
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn save_external(&self, path: impl AsRef<Path>) -> Result<()> {
        self.model.save_external(path)
    }
}
