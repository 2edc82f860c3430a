//! Training on Burn's CPU device: convolution and batch normalisation as one operation each way, for whole batches, and the step of
//! the optimiser in one pass.
//!
//! A network that is evaluated, exported or on another device computes with Burn's own operations; a network in training on the CPU
//! device computes the same numbers here, several times as fast. See [`crate::feature_map`] for where the two ways part.
//!
//! | file | what it holds |
//! |---|---|
//! | `grid` | how a batch lies in memory |
//! | `columns` | windows of a feature map as columns of a matrix |
//! | `product` | matrix products, the one place with unsafe code |
//! | `simd` | loops over numbers |
//! | `norm` | batch normalisation |
//! | `conv` | convolution of a normalised, rectified feature map |
//! | `operation` | both as operations that Burn differentiates |
//! | `descent` | a step of the optimiser |

mod columns;
mod conv;
mod descent;
mod grid;
mod norm;
mod operation;
mod product;
mod simd;

pub use descent::{descend, is_plain};
pub use grid::Grid;
pub use operation::{convolve, is_fast, normalise};

#[cfg(test)]
mod tests;
