//! From a Burn module to traces of its operations.
//!
//! `record` runs the module once for every planned set of sizes; `carry` brings its weights to the capture device one by
//! one. `parameters` and `paths` name weights and operations by module. `linear` and `recurrent` put together again what
//! Burn took apart: linear layers, and the loop over the steps of a recurrent one.

mod carry;
mod linear;
mod parameters;
mod paths;
mod record;
mod recurrent;

pub(crate) use paths::module_paths;
pub(crate) use record::{Plan, Recording, Trace, record};
