//! Where ONNX Runtime finds a batch and puts what comes out of it.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Where ONNX Runtime finds a batch and puts what comes out of it, where the size of a batch is one of few.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum IoBinding {
    /// Memory of its own for each batch.
    #[default]
    None,
    /// Memory that stays, which a GPU reads and writes by itself.
    Pinned,
    /// Memory of the GPU that stays, and a CUDA graph of all that is done with it.
    CudaGraphs,
    /// Of these the fastest one for each size, by a measurement.
    Auto,
}

impl IoBinding {
    /// What to try against memory of its own.
    pub fn candidates(self) -> &'static [Self] {
        match self {
            Self::None => &[],
            Self::Pinned => &[Self::Pinned],
            Self::CudaGraphs => &[Self::CudaGraphs],
            Self::Auto => &[Self::Pinned, Self::CudaGraphs],
        }
    }
}

impl fmt::Display for IoBinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "none",
            Self::Pinned => "pinned",
            Self::CudaGraphs => "cuda-graphs",
            Self::Auto => "auto",
        })
    }
}
