//! What a runtime must do to take part in a verification.

use std::path::Path;

use burn::tensor::TensorData;

use crate::Result;

/// A runtime that can load ONNX files.
pub trait Runner {
    /// Name in reports and errors.
    fn name(&self) -> &'static str;

    /// Loads a model.
    ///
    /// # Errors
    /// The runtime does not take the model.
    fn load(&self, model: &[u8]) -> Result<Box<dyn Session>>;

    /// Loads the model of a file, with the external data beside it.
    ///
    /// # Errors
    /// The file cannot be read, or the runtime does not take the model.
    fn load_file(&self, path: &Path) -> Result<Box<dyn Session>>;
}

/// A loaded model.
pub trait Session {
    /// Runs the model on inputs in the order of its inputs; returns its outputs by name, in its order.
    ///
    /// # Errors
    /// The runtime fails, or an element type has no counterpart.
    fn run(&mut self, inputs: &[TensorData]) -> Result<Vec<(String, TensorData)>>;
}
