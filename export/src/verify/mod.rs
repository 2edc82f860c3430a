//! The compiled model against the numbers of Burn, on every runtime present.
//!
//! A [`Case`] is an input with Burn's answer, a [`Runner`] a runtime, one file each, and a [`Row`] what came of both.

mod case;
mod compare;
mod model;
mod onnxruntime;
mod rten;
mod runner;
mod tract;

pub use self::rten::RtenRunner;
pub use case::{Case, Kind};
pub use compare::{Row, Tolerance, verify, verify_file};
pub use onnxruntime::OnnxRuntime;
pub use runner::{Runner, Session};
pub use tract::TractRunner;
