//! What a part of a batch gives.

use super::Scores;
use crate::gradients::widened;
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

/// What a part of a batch gives, on the device that it went through.
pub(super) struct Part {
    /// Means over the part, `[1]` each.
    pub(super) loss: Tensor<1>,
    pub(super) accuracy: Tensor<1>,
    /// Its share of the gradients of the batch.
    pub(super) gradients: GradientsParams,
    /// The running statistics of the copy that it went through; none without a copy.
    pub(super) statistics: Vec<Tensor<1>>,
}

impl Part {
    /// Goes back from the scores of one of `parts` equal parts.
    pub(super) fn of<M: Module>(network: &M, scores: Scores, parts: usize) -> Self {
        let (loss, accuracy) = (scores.loss.clone().inner(), scores.accuracy.inner());
        let share = if parts == 1 { scores.loss } else { scores.loss.div_scalar(parts as f64) };
        let gradients = GradientsParams::from_grads(share.backward(), network);
        Self { loss, accuracy, gradients, statistics: Vec::new() }
    }

    /// The part on a device, in 32 bits.
    pub(super) fn brought<M: Module>(self, device: &Device, network: &M) -> Self {
        Self {
            loss: self.loss.to_device(device),
            accuracy: self.accuracy.to_device(device),
            gradients: widened(network, self.gradients.to_device(device, network)),
            statistics: self.statistics,
        }
    }
}
