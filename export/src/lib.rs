//! A compiler from any Burn module to ONNX.
//!
//! A module runs on Burn's capture device at several sizes of every dynamic axis. The recorded operations become one
//! graph with symbolic shapes, passes simplify it, and the result is written as an ordinary ONNX file.
//!
//! ```
//! use burn::nn::{Linear, LinearConfig};
//! use burn::tensor::{Device, Tensor};
//! use selfie_export::Export;
//!
//! let device = Device::flex();
//! let module = LinearConfig::new(4, 2).init(&device);
//! let model = Export::new(&module)
//!     .input("features", Tensor::<2>::zeros([2, 4], &device), [(0, "batch")])
//!     .outputs(["logits"])
//!     .metadata("author", "me")
//!     .compile(|module: &Linear, x: Tensor<2>| module.forward(x))?;
//! let bytes = model.to_bytes()?;
//! # assert!(!bytes.is_empty());
//! # Ok::<(), selfie_export::Error>(())
//! ```
//!
//! The modules follow the data:
//!
//! | module | what it does |
//! |---|---|
//! | [`Export`] | takes the request: module, inputs, names, [dynamic axes](Axis) |
//! | `capture` | runs the module on Burn's capture device, once for every set of sizes |
//! | [`shapes`] | turns the traces into one program with symbolic sizes |
//! | [`lower`] | translates Burn's operations to ONNX nodes |
//! | [`ir`] | holds the graph, checks it, prints it |
//! | [`passes`] | simplify the graph, and rewrite it for a [`Target`] |
//! | [`Model`], [`precision`], [`Prefix`] | the compiled model: smaller numbers, another form of its input |
//! | `emit`, `read` | write the file, and read back one of ours |
//! | [`verify`] | compares a model with Burn in other runtimes |
//! | [`OnnxFile`], [`inspect()`] | files of any writer: simplified, looked at |

mod axis;
mod capture;
mod custom;
mod emit;
mod error;
mod export;
mod foreign;
mod inputs;
mod inspect;
pub mod ir;
pub mod lower;
mod model;
mod panics;
pub mod passes;
pub mod precision;
mod prefix;
mod recurrence;
mod samples;
pub mod shapes;
mod signature;
pub mod verify;

pub use axis::Axis;
pub use custom::custom;
pub use error::{Divergence, Error, Result};
pub use export::Export;
pub use foreign::OnnxFile;
pub use inspect::{Inspection, OperatorCount, Port, inspect, inspect_file};
pub use model::{InputSpec, Model, OutputSpec};
pub use panics::panic_is_contained;
pub use passes::{TARGETS, Target};
pub use prefix::Prefix;
pub use signature::{DynTensor, Inputs, Outputs, run_eager};

/// The example of the README, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
