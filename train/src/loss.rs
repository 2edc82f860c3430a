//! Cross-entropy with one right answer, with two of them, and with a part for all.

use burn::nn::loss::CrossEntropyLossConfig;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Int, Tensor};

/// The right answers of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    /// `[batch]`
    pub(crate) own: Tensor<1, Int>,
    /// The other answers of mixed images, `[batch]`, and the share of the own ones.
    pub(crate) other: Option<(Tensor<1, Int>, f64)>,
    /// Part of the answer that all classes share alike.
    pub(crate) smoothing: f64,
}

impl Answers {
    /// The mean cross-entropy over the batch.
    ///
    /// # Shapes
    /// - `logits`: `[batch, classes]` → `[1]`
    /// # Source
    /// Szegedy et al. 2015, section 7, and Zhang et al. 2017, "mixup"; the same as PyTorch's `cross_entropy` with
    /// `label_smoothing` and probabilities as target.
    pub(crate) fn loss(self, logits: Tensor<2>) -> Tensor<1> {
        let Self { own, other, smoothing } = self;
        if other.is_none() && smoothing == 0.0 {
            return CrossEntropyLossConfig::new().init(&logits.device()).forward(logits, own);
        }
        let logs = log_softmax(logits, 1);
        let of = |answers: Tensor<1, Int>| logs.clone().gather(1, answers.unsqueeze_dim(1)).mean();
        let mut right = of(own);
        if let Some((other, share)) = other {
            right = right.mul_scalar(share) + of(other).mul_scalar(1.0 - share);
        }
        (right.mul_scalar(1.0 - smoothing) + logs.mean().mul_scalar(smoothing)).neg()
    }

    /// The part of the batch whose largest score is the right answer; of mixed images each answer counts its share.
    ///
    /// # Shapes
    /// - `logits`: `[batch, classes]` → `[1]`
    pub(crate) fn accuracy(&self, logits: Tensor<2>) -> Tensor<1> {
        let found: Tensor<1, Int> = logits.argmax(1).squeeze_dim(1);
        let own = found.clone().equal(self.own.clone()).float().mean();
        match &self.other {
            Some((other, share)) => {
                own.mul_scalar(*share) + found.equal(other.clone()).float().mean().mul_scalar(1.0 - share)
            }
            None => own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    const LOGITS: [[f32; 3]; 2] = [[1.0, 2.0, 0.5], [-1.0, 0.0, 3.0]];

    fn answers(other: Option<f64>, smoothing: f64) -> Answers {
        let device = Device::flex();
        let integers = |values: [i32; 2]| Tensor::<1, Int>::from_ints(values, &device);
        Answers { own: integers([1, 0]), other: other.map(|share| (integers([0, 2]), share)), smoothing }
    }

    /// The definition: minus the probabilities of the target times the logarithms of the softmax.
    fn reference(share: f64, smoothing: f64) -> f64 {
        let rows = LOGITS.iter().zip([(1, 0), (0, 2)]).map(|(row, (own, other))| {
            let sum: f64 = row.iter().map(|logit| f64::from(*logit).exp()).sum();
            let mut target = [smoothing / 3.0; 3];
            target[own] += (1.0 - smoothing) * share;
            target[other] += (1.0 - smoothing) * (1.0 - share);
            row.iter().zip(target).map(|(logit, part)| -part * (f64::from(*logit).exp() / sum).ln()).sum::<f64>()
        });
        rows.sum::<f64>() / 2.0
    }

    #[test]
    fn soft_answers_give_the_cross_entropy_with_their_probabilities() {
        let logits = Tensor::<2>::from_floats(LOGITS, &Device::flex());
        let mut wrong = Vec::new();
        for share in [None, Some(0.0), Some(0.3), Some(1.0)] {
            for smoothing in [0.0, 0.1, 0.9] {
                let found = f64::from(answers(share, smoothing).loss(logits.clone()).into_scalar::<f32>());
                let expected = reference(share.unwrap_or(1.0), smoothing);
                if (found - expected).abs() > 1e-5 {
                    wrong.push(format!("{share:?}, {smoothing}: {found}, expected {expected}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn each_answer_of_a_mixed_image_counts_its_share() {
        // The first image's own answer is found, and the second one's other answer.
        let logits = Tensor::<2>::from_floats(LOGITS, &Device::flex());
        for (share, expected) in [(None, 0.5), (Some(0.25), 0.5 * 0.25 + 0.5 * 0.75), (Some(1.0), 0.5)] {
            let found = answers(share, 0.0).accuracy(logits.clone()).into_scalar::<f32>();
            assert!((found - expected).abs() < 1e-6, "{share:?}: {found}");
        }
    }
}
