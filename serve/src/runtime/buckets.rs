//! Which batch sizes a runtime gets.
//!
//! On a GPU a runtime plans anew whenever the batch has another size than the one before. With buckets it gets a few sizes only: a
//! batch is filled up with zeros to the next one.

use super::Device;
use crate::Error;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Which batch sizes a runtime gets: `auto`, `none`, or a list such as `1,4,16`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum BatchBuckets {
    /// Powers of two up to the largest batch on GPUs and their like, any size on processors.
    #[default]
    Auto,
    /// Any size.
    None,
    /// These, the smallest first. The last one is the largest batch.
    Sizes(Vec<usize>),
}

impl BatchBuckets {
    /// The sizes for a device, the smallest first; none when it gets any.
    pub fn sizes(&self, device: Device, max_batch_size: usize) -> Vec<usize> {
        match self {
            Self::Auto if device.is_processor() => Vec::new(),
            Self::Auto => {
                let powers = (0..usize::BITS).map(|power| 1 << power);
                powers.take_while(|size| *size < max_batch_size).chain([max_batch_size]).collect()
            }
            Self::None => Vec::new(),
            Self::Sizes(sizes) => sizes.clone(),
        }
    }
}

impl FromStr for BatchBuckets {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "auto" => return Ok(Self::Auto),
            "none" => return Ok(Self::None),
            _ => {}
        }
        let size = |part: &str| part.trim().parse().ok().filter(|size| *size > 0);
        let sizes: Option<Vec<usize>> = text.split(',').map(size).collect();
        match sizes.filter(|sizes| sizes.is_sorted_by(|smaller, larger| smaller < larger)) {
            Some(sizes) => Ok(Self::Sizes(sizes)),
            None => {
                let reason =
                    format!("\"{text}\" is neither auto, nor none, nor a growing list of sizes such as 1,4,16");
                Err(Error::Option { option: "batch_buckets", reason })
            }
        }
    }
}

impl TryFrom<String> for BatchBuckets {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<BatchBuckets> for String {
    fn from(buckets: BatchBuckets) -> String {
        buckets.to_string()
    }
}

impl fmt::Display for BatchBuckets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => formatter.write_str("auto"),
            Self::None => formatter.write_str("none"),
            Self::Sizes(sizes) => {
                let sizes: Vec<String> = sizes.iter().map(usize::to_string).collect();
                formatter.write_str(&sizes.join(","))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::OpenVinoUnit;
    use super::*;

    #[test]
    fn lists_are_read_and_written() {
        for (text, buckets) in [
            ("auto", BatchBuckets::Auto),
            ("none", BatchBuckets::None),
            ("8", BatchBuckets::Sizes(vec![8])),
            ("1,4,16", BatchBuckets::Sizes(vec![1, 4, 16])),
        ] {
            assert_eq!(text.parse::<BatchBuckets>().unwrap(), buckets);
            assert_eq!(buckets.to_string(), text);
        }
        assert_eq!("1, 4".parse::<BatchBuckets>().unwrap(), BatchBuckets::Sizes(vec![1, 4]));
        for text in ["", "0,1", "4,1", "2,2", "1,", "many", "-1", "1;2"] {
            let message = text.parse::<BatchBuckets>().unwrap_err().to_string();
            assert!(message.contains("batch_buckets") && message.contains("1,4,16"), "{text:?}: {message}");
        }
    }

    #[test]
    fn auto_is_for_devices_that_plan_for_one_size() {
        let sizes = |device, max_batch_size| BatchBuckets::Auto.sizes(device, max_batch_size);
        for device in [Device::Cuda(0), Device::TensorRt(1), Device::OpenVino(OpenVinoUnit::Npu)] {
            assert_eq!(sizes(device, 32), [1, 2, 4, 8, 16, 32], "{device}");
        }
        assert_eq!(sizes(Device::Cuda(0), 24), [1, 2, 4, 8, 16, 24]);
        assert_eq!(sizes(Device::Cuda(0), 1), [1]);
        assert!(sizes(Device::Cpu, 32).is_empty() && sizes(Device::OpenVino(OpenVinoUnit::Cpu), 32).is_empty());
        assert_eq!(BatchBuckets::Sizes(vec![3]).sizes(Device::Cpu, 32), [3]);
        assert!(BatchBuckets::None.sizes(Device::Cuda(0), 32).is_empty());
    }
}
