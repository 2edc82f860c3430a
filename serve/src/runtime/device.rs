//! Names of devices.

use crate::Error;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where a model runs: `auto`, `cpu`, `cuda[:N]`, `tensorrt[:N]`, `openvino`, `openvino:gpu` or `openvino:npu`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Device {
    /// The best one that the runtime finds.
    #[default]
    Auto,
    /// The processor.
    Cpu,
    /// An NVIDIA GPU by its number.
    Cuda(u16),
    /// An NVIDIA GPU by its number, by way of TensorRT.
    TensorRt(u16),
    /// Something of Intel's, by way of OpenVINO.
    OpenVino(OpenVinoUnit),
}

/// What OpenVINO runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenVinoUnit {
    /// The processor.
    Cpu,
    /// The GPU.
    Gpu,
    /// The neural processor.
    Npu,
}

/// What names may be.
const KNOWN: &str = "known are auto, cpu, cuda, cuda:N, tensorrt, tensorrt:N, openvino, openvino:gpu and openvino:npu";

/// Why there is no list of them.
const ONE: &str = "a model runs on one device; name one, and start a process for each of the others";

impl Device {
    /// The number of the NVIDIA GPU, if it is one.
    pub fn nvidia(self) -> Option<u16> {
        match self {
            Self::Cuda(number) | Self::TensorRt(number) => Some(number),
            Self::Auto | Self::Cpu | Self::OpenVino(_) => None,
        }
    }

    /// Whether it is the processor, by whatever way.
    pub fn is_processor(self) -> bool {
        match self {
            Self::Auto | Self::Cpu | Self::OpenVino(OpenVinoUnit::Cpu) => true,
            Self::Cuda(_) | Self::TensorRt(_) | Self::OpenVino(OpenVinoUnit::Gpu | OpenVinoUnit::Npu) => false,
        }
    }
}

impl FromStr for Device {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let numbered = |kind: &str| name.strip_prefix(kind)?.strip_prefix(':')?.parse().ok();
        let known = match name {
            "auto" => Some(Self::Auto),
            "cpu" => Some(Self::Cpu),
            "cuda" => Some(Self::Cuda(0)),
            "tensorrt" => Some(Self::TensorRt(0)),
            "openvino" | "openvino:cpu" => Some(Self::OpenVino(OpenVinoUnit::Cpu)),
            "openvino:gpu" => Some(Self::OpenVino(OpenVinoUnit::Gpu)),
            "openvino:npu" => Some(Self::OpenVino(OpenVinoUnit::Npu)),
            _ => numbered("cuda").map(Self::Cuda).or_else(|| numbered("tensorrt").map(Self::TensorRt)),
        };
        let reason = if name.contains(',') { ONE } else { KNOWN };
        known.ok_or_else(|| Error::Device { name: name.to_owned(), reason: reason.into() })
    }
}

impl TryFrom<String> for Device {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        name.parse()
    }
}

impl From<Device> for String {
    fn from(device: Device) -> String {
        device.to_string()
    }
}

impl fmt::Display for Device {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::Cpu => formatter.write_str("cpu"),
            Self::Cuda(number) => write!(formatter, "cuda:{number}"),
            Self::TensorRt(number) => write!(formatter, "tensorrt:{number}"),
            Self::OpenVino(OpenVinoUnit::Cpu) => formatter.write_str("openvino"),
            Self::OpenVino(OpenVinoUnit::Gpu) => formatter.write_str("openvino:gpu"),
            Self::OpenVino(OpenVinoUnit::Npu) => formatter.write_str("openvino:npu"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        for (name, device) in [
            ("auto", Device::Auto),
            ("cpu", Device::Cpu),
            ("cuda:3", Device::Cuda(3)),
            ("tensorrt:1", Device::TensorRt(1)),
            ("openvino", Device::OpenVino(OpenVinoUnit::Cpu)),
            ("openvino:gpu", Device::OpenVino(OpenVinoUnit::Gpu)),
            ("openvino:npu", Device::OpenVino(OpenVinoUnit::Npu)),
        ] {
            assert_eq!(name.parse::<Device>().unwrap(), device);
            assert_eq!(device.to_string(), name);
        }
        assert_eq!("cuda".parse::<Device>().unwrap(), Device::Cuda(0));
        assert_eq!("tensorrt".parse::<Device>().unwrap(), Device::TensorRt(0));
        for name in ["", "gpu", "cuda:", "cuda:x", "cuda1", "CPU", "tensorrt:", "openvino:", "openvino:0"] {
            let message = name.parse::<Device>().unwrap_err().to_string();
            assert!(message.contains("openvino:gpu"), "{name:?}: {message}");
        }
        let message = "cuda:0,cuda:1".parse::<Device>().unwrap_err().to_string();
        assert!(message.contains("one device"), "{message}");
    }
}
