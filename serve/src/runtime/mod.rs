//! Runtimes: what turns a batch of inputs into outputs.
//!
//! A runtime is one file that implements [`Runtime`] and one line in [`RUNTIMES`]. Its own types stop at that file.

mod agreement;
mod alive;
mod bound;
mod buckets;
mod choose;
mod device;
mod graph;
pub mod install;
mod io_binding;
mod lanes;
pub mod library;
pub mod list;
mod onnxruntime;
mod provider;
mod race;
mod rten;
mod spread;
pub mod telemetry;
mod tract;
mod values;
pub mod wheel;

pub use alive::all_gone;
pub use buckets::BatchBuckets;
pub(crate) use choose::refused;
pub use choose::{Candidate, Choice, choose};
pub use device::{Device, OpenVinoUnit};
pub use io_binding::IoBinding;
pub use list::list;
pub use values::{Output, Values, squeezed};

use crate::Error;
use crate::model_file::ModelFile;
use std::path::PathBuf;

/// Every runtime that there is. `auto` takes the first group of which one works here, and within a group, for each model, the
/// one that is fastest on it.
pub const RUNTIMES: &[&[&dyn Runtime]] = &[&[&onnxruntime::OnnxRuntime], &[&tract::Tract, &rten::Rten]];

/// Every runtime that there is, without the groups.
pub fn runtimes() -> impl Iterator<Item = &'static dyn Runtime> {
    RUNTIMES.iter().copied().flatten().copied()
}

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
    /// `shape` is `[batch, ..]` as the card orders it, and what `input` leaves free at its end is zero; each output is `[batch, ..]`.
    ///
    /// # Errors
    /// What the runtime said.
    fn run(&self, shape: &[usize], input: &Values<'_>) -> Result<Vec<Output>, String>;

    /// How many batches it runs at once; more wait for each other.
    fn at_once(&self) -> usize {
        1
    }

    /// How often it holds the weights of the model.
    fn copies(&self) -> usize {
        1
    }

    /// How it uses the processors and memory and why, where there was a choice.
    fn spread(&self) -> Option<&str> {
        None
    }
}

/// What a runtime needs to know beside the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Name of the runtime, or `auto`.
    pub runtime: String,
    /// The device that is wanted.
    pub device: Device,
    /// Threads of one inference, 0 for as many as pay.
    pub threads: usize,
    /// Inferences of one model at once, 0 for as many as the processors have room for, or one on a GPU.
    pub sessions: usize,
    /// Path of ONNX Runtime's shared library, if it was given.
    pub onnxruntime: Option<PathBuf>,
    /// The batch sizes that a model may get.
    pub batch_buckets: BatchBuckets,
    /// Where ONNX Runtime finds batches.
    pub io_binding: IoBinding,
    /// The largest batch that will come, for buckets that nobody has listed.
    pub max_batch_size: usize,
}

impl Options {
    /// The batch sizes that a model gets on `device`, the smallest first; none when it gets any.
    pub fn buckets(&self, fixed_batch: Option<usize>, device: Device) -> Vec<usize> {
        match fixed_batch {
            Some(batch) => vec![batch],
            None => self.batch_buckets.sizes(device, self.max_batch_size),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            runtime: "auto".into(),
            device: Device::Auto,
            threads: 0,
            sessions: 0,
            onnxruntime: None,
            batch_buckets: BatchBuckets::None,
            io_binding: IoBinding::None,
            max_batch_size: 32,
        }
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

/// What a runtime finds that is built in and runs on the processor.
fn processor_only(name: &str, device: Device) -> Result<Found, Error> {
    match device {
        Device::Auto | Device::Cpu => {
            Ok(Found { device: Device::Cpu, detail: format!("{name} is built in and runs on the processor") })
        }
        Device::Cuda(_) | Device::TensorRt(_) | Device::OpenVino(_) => {
            let reason = format!("{name} runs on the processor only");
            Err(Error::Device { name: device.to_string(), reason })
        }
    }
}
