//! From a Burn module to traces of its operations.

mod carry;
mod linear;
mod parameters;
mod paths;
mod record;
mod recurrent;

pub(crate) use paths::module_paths;
pub(crate) use record::{Plan, Recording, Trace, record};
