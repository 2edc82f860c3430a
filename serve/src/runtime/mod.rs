//! Runtimes: what turns a batch of inputs into outputs.
//!
//! A runtime is one file that implements [`Runtime`] and one line in [`RUNTIMES`]. Its own types stop at that file.

mod choose;
mod device;
pub mod install;
pub mod library;
pub mod list;
mod onnxruntime;
pub mod telemetry;
mod tract;
pub mod wheel;

pub use choose::{Choice, choose};
pub use device::Device;
pub use list::list;

use crate::Error;
use crate::model_file::ModelFile;
use std::path::PathBuf;

/// Every runtime that is built in, in the order in which `auto` tries them.
pub const RUNTIMES: &[&dyn Runtime] = &[&onnxruntime::OnnxRuntime, &tract::Tract];

/// A way to run ONNX files.
pub trait Runtime: Sync {
    /// The name that options and metrics use.
    fn name(&self) -> &'static str;

    /// Looks whether the runtime can work here with these options.
    ///
    /// # Errors
    /// [`Error::Runtime`] or [`Error::Device`] says what is missing and what to do.
    fn check(&self, options: &Options) -> Result<Found, Error>;

    /// Loads a model for `device`, which [`Runtime::check`] found.
    ///
    /// # Errors
    /// [`Error::Load`] with what the runtime said.
    fn load(&self, file: &ModelFile, device: Device, options: &Options) -> Result<Box<dyn Session>, Error>;
}

/// A loaded model.
pub trait Session: Send + Sync {
    /// Runs one batch. The outputs come in the order of [`ModelFile::output_names`].
    ///
    /// # Shapes
    /// `shape` is `[batch, ..]` as the card orders it; each output is `[batch, ..]`.
    ///
    /// # Errors
    /// What the runtime said.
    fn run(&self, shape: &[usize], input: Values<'_>) -> Result<Vec<Output>, String>;
}

/// A batch of inputs, row-major.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// Normalised floats.
    F32(&'a [f32]),
    /// Raw bytes.
    U8(&'a [u8]),
}

/// One output of a batch, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Output {
    /// Shape, the batch first.
    pub shape: Vec<usize>,
    /// Values.
    pub values: Vec<f32>,
}

/// What a runtime needs to know beside the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Name of the runtime, or `auto`.
    pub runtime: String,
    /// The device that is wanted.
    pub device: Device,
    /// Threads of one inference, 0 for one a processor.
    pub threads: usize,
    /// Path of ONNX Runtime's shared library, if it was given.
    pub onnxruntime: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { runtime: "auto".into(), device: Device::Auto, threads: 0, onnxruntime: None }
    }
}

/// What [`Runtime::check`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The device that the runtime will use.
    pub device: Device,
    /// Where the runtime is and why this device.
    pub detail: String,
}
