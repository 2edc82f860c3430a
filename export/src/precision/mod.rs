//! Smaller numbers: half precision, and 8-bit integers with scales from real inputs.
//!
//! Both rewrite the graph of a finished model. What must not lose precision is kept in 32-bit floats, by operator or by
//! module path; see [`Keep`].

mod half;
pub mod int8;
mod keep;
mod operators;

pub use half::{Half, HalfReport, HalfType};
pub use keep::Keep;
