//! Where ONNX Runtime finds a batch and puts what comes out of it.

use super::Device;
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
    /// Memory that stays; on a GPU pinned memory for the host, and memory of the GPU for the model.
    Pinned,
    /// Memory of the GPU that stays, and a CUDA graph of all that is done with it.
    CudaGraphs,
    /// Of these the fastest one for each size, by a measurement.
    Auto,
}

impl IoBinding {
    /// What to try on a device against memory of its own.
    ///
    /// # Errors
    /// The device does not know the way.
    pub fn candidates(self, device: Device) -> Result<&'static [Self], String> {
        match (self, device) {
            (Self::None, _) => Ok(&[]),
            (Self::Auto, Device::Cuda(_)) => Ok(&[Self::Pinned, Self::CudaGraphs]),
            (Self::CudaGraphs, Device::Cuda(_)) => Ok(&[Self::CudaGraphs]),
            (Self::CudaGraphs, other) => Err(format!("{self} needs the device cuda, not {other}")),
            (Self::Pinned | Self::Auto, _) => Ok(&[Self::Pinned]),
        }
    }
}

impl fmt::Display for IoBinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphs_are_for_cuda() {
        let (cuda, others) = (Device::Cuda(1), [Device::Cpu, Device::TensorRt(0)]);
        assert_eq!(IoBinding::CudaGraphs.candidates(cuda).unwrap(), [IoBinding::CudaGraphs]);
        assert_eq!(IoBinding::Auto.candidates(cuda).unwrap(), [IoBinding::Pinned, IoBinding::CudaGraphs]);
        for device in others {
            let message = IoBinding::CudaGraphs.candidates(device).unwrap_err();
            assert!(message.contains(&format!("needs the device cuda, not {device}")), "{message}");
            assert_eq!(IoBinding::Auto.candidates(device).unwrap(), [IoBinding::Pinned]);
        }
    }
}
