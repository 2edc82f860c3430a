//! Rewrites that make the graph smaller without changing what it computes.
//!
//! A pass reads the graph and returns a patch or the reason why it has none. Only the driver changes the graph, checks
//! it after every pass, and repeats the pipeline until nothing fires. Begin with `fuse_gelu`, and `pattern`, in which it is
//! written.

mod driver;
mod patch;
mod report;

mod drop_identities;
mod fold_constants;
mod fuse_attention;
mod fuse_batch_norm;
mod fuse_gelu;
mod fuse_gemm;
mod fuse_layer_norm;
mod fuse_rms_norm;
mod fuse_softmax;
mod merge_reductions;
mod merge_reshapes;
mod merge_transposes;
mod pattern;
mod remove_dead_code;
mod share_constants;
mod share_subexpressions;
mod sink_transposes;
mod targets;

pub use driver::Driver;
pub use patch::Patch;
pub use report::{PassReport, PassSummary, Saved};
pub use targets::{TARGETS, Target};

use crate::Result;
use crate::ir::Graph;

/// What a pass found.
pub enum Outcome {
    /// Nothing to do, and why.
    Unchanged(String),
    /// Edits for the driver to apply.
    Changed(Patch),
}

/// A rewrite.
pub trait Pass: Sync {
    /// Name in reports and errors.
    fn name(&self) -> &'static str;

    /// Looks for places where the rewrite applies.
    ///
    /// # Errors
    /// The graph holds something the pass cannot read.
    fn run(&self, graph: &Graph) -> Result<Outcome>;
}

/// The passes in the order in which they run.
pub const PIPELINE: &[&dyn Pass] = &[
    // First, so that the other passes see fewer nodes and more constants.
    &drop_identities::DropIdentities,
    &fold_constants::FoldConstants,
    &merge_reshapes::MergeReshapes,
    &merge_reductions::MergeReductions,
    &sink_transposes::SinkTransposes,
    &merge_transposes::MergeTransposes,
    // Before the formulas, which ask that two readers of one number read one value.
    &share_subexpressions::ShareSubexpressions,
    &fuse_softmax::FuseSoftmax,
    &fuse_layer_norm::FuseLayerNorm,
    &fuse_rms_norm::FuseRmsNorm,
    &fuse_gelu::FuseGelu,
    // After the softmax that it holds.
    &fuse_attention::FuseAttention,
    // Before the normalisation, which goes into Gemm.
    &fuse_gemm::FuseGemm,
    // Before sharing, for it rewrites weights that only one node may use.
    &fuse_batch_norm::FuseBatchNorm,
    &share_constants::ShareConstants,
    // Last, to sweep up what the others left without a reader.
    &remove_dead_code::RemoveDeadCode,
];
