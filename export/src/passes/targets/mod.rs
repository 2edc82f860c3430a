//! What other runtimes want to read: opsets, and operators that they take instead of those that the pipeline leaves.
//!
//! A file without a target suits most runtimes. A target bounds the opset and runs rewrites after the pipeline; they keep
//! the numbers, so that every other runtime still runs the file, but make it larger, or fit for one batch size only.

mod mirror_pool_pads;
mod plain_gelu;
mod split_batch_norm;
mod split_clip;
mod split_gemm;
mod split_hard_sigmoid;
mod split_layer_norm;
mod trim_pads;
mod wiring;

use std::fmt;
use std::ops::RangeInclusive;

use super::Pass;
use crate::ir::DEFAULT_OPSET;
use crate::{Error, Result};

/// A runtime that a file is written for.
#[derive(Clone)]
pub struct Target {
    /// Name, as `selfie export --target` takes it.
    pub name: &'static str,
    /// The opsets whose operators it reads.
    pub opsets: RangeInclusive<i64>,
    /// The one among them that it gets unless another is asked for.
    pub opset: i64,
    /// What changes after the pipeline, in this order.
    pub rewrites: &'static [&'static dyn Pass],
    /// Why it wants this.
    pub why: &'static str,
}

/// Every target, by name. Runtimes that are not here take files that are written for none.
pub const TARGETS: &[Target] = &[
    Target {
        name: "candle-onnx",
        opsets: 13..=17,
        opset: DEFAULT_OPSET,
        rewrites: &[
            &split_layer_norm::SplitLayerNorm,
            &split_hard_sigmoid::SplitHardSigmoid,
            &mirror_pool_pads::MirrorPoolPads,
        ],
        why: "it has no LayerNormalization, no HardSigmoid and no MaxPool with pads",
    },
    Target {
        name: "iree",
        opsets: 15..=23,
        opset: DEFAULT_OPSET,
        rewrites: &[&trim_pads::TrimPads],
        why: "its importer has no BatchNormalization before opset 15, and its compiler stumbles over pads that no window \
              reaches",
    },
    Target {
        name: "jaxonnxruntime",
        opsets: 14..=17,
        opset: DEFAULT_OPSET,
        rewrites: &[
            &split_layer_norm::SplitLayerNorm,
            &split_hard_sigmoid::SplitHardSigmoid,
            // After the hard sigmoid, which becomes one.
            &split_clip::SplitClip,
        ],
        why: "it has Relu from opset 14 on, no LayerNormalization, HardSigmoid or Conv of opset 22, and its Clip does not work \
              with JAX of today",
    },
    Target {
        name: "mnn",
        opsets: 13..=23,
        opset: DEFAULT_OPSET,
        rewrites: &[&plain_gelu::PlainGelu],
        why: "its converter puts an approximation in the place of a GELU that it recognises",
    },
    Target {
        name: "onnx-reference",
        opsets: 14..=24,
        opset: 19,
        rewrites: &[],
        why: "its BatchNormalization takes the statistics of the batch before opset 14, and it has DequantizeLinear from \
              opset 19 on",
    },
    Target {
        name: "onnx2tf",
        opsets: 13..=17,
        opset: DEFAULT_OPSET,
        rewrites: &[&split_batch_norm::SplitBatchNorm],
        why: "it mistakes the channels of a BatchNormalization where a feature map is one pixel",
    },
    Target {
        name: "onnx2torch",
        opsets: 13..=17,
        opset: DEFAULT_OPSET,
        rewrites: &[],
        why: "it has no Reshape of opset 19 and no Conv of opset 22",
    },
    Target {
        name: "tract",
        opsets: 13..=24,
        opset: DEFAULT_OPSET,
        rewrites: &[&split_gemm::SplitGemm],
        why: "it adds the bias of a Gemm in 32-bit floats, also where the Gemm is of 16 bits",
    },
];

impl Target {
    /// The target of this name.
    ///
    /// # Errors
    /// [`Error::UnknownTarget`] lists those there are.
    pub fn named(name: &str) -> Result<&'static Self> {
        let known = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
        TARGETS
            .iter()
            .find(|target| target.name == name)
            .ok_or_else(|| Error::UnknownTarget { name: name.to_string(), known: known() })
    }

    /// # Errors
    /// [`Error::TargetOpset`]: it does not read this opset.
    pub(crate) fn check(&self, opset: i64) -> Result<()> {
        if self.opsets.contains(&opset) {
            return Ok(());
        }
        Err(Error::TargetOpset { target: self.name, opset, first: *self.opsets.start(), last: *self.opsets.end() })
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rewrites: Vec<_> = self.rewrites.iter().map(|pass| pass.name()).collect();
        f.debug_struct("Target")
            .field("name", &self.name)
            .field("opsets", &self.opsets)
            .field("rewrites", &rewrites)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_target_is_answered_with_those_there_are() {
        let error = Target::named("abacus").unwrap_err().to_string();
        assert!(error.contains("`abacus`"), "{error}");
        let missing: Vec<_> = TARGETS.iter().filter(|target| !error.contains(target.name)).collect();
        assert!(missing.is_empty(), "{error}: {missing:?}");
    }

    #[test]
    fn every_target_reads_the_opset_that_it_gets() {
        let wrong: Vec<_> = TARGETS.iter().filter(|target| !target.opsets.contains(&target.opset)).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
