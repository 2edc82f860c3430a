//! What a classifier says about every image.

use super::subject::{Subject, Trained};
use crate::Error;
use selfie_models::network::Network;

/// What a classifier says about an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Answer {
    /// Place of the image in its split.
    pub(super) image: usize,
    /// The right class.
    pub(super) label: u32,
    /// The class that was found.
    pub(super) found: u32,
    /// How sure the network is of it, 0 to 1.
    pub(super) confidence: f32,
}

/// The answers for all images, in order; none without a classifier or without labels.
pub(super) fn of(subject: &Subject<'_>) -> Result<Vec<Answer>, Error> {
    let Some(Trained { network: Network::Classifier(classifier), device, .. }) = &subject.trained else {
        return Ok(Vec::new());
    };
    let labels = &subject.images().0.labels;
    let places: Vec<usize> = (0..labels.len()).collect();
    let classes = subject.dataset.labels.len().max(1);
    let mut answers = Vec::with_capacity(places.len());
    for batch in places.chunks(subject.recipe.evaluation_batch_size) {
        let logits = subject.outputs(device, batch, |images| classifier.forward(images).logits)?;
        for (image, logits) in batch.iter().zip(logits.chunks_exact(classes)) {
            let (found, confidence) = best(logits);
            answers.push(Answer { image: *image, label: labels[*image], found: found as u32, confidence });
        }
    }
    Ok(answers)
}

/// The place of the largest score, the first of equal ones, and its share after a softmax.
pub(super) fn best(scores: &[f32]) -> (usize, f32) {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = scores.iter().map(|score| (score - largest).exp()).sum();
    (scores.iter().position(|score| *score == largest).unwrap_or_default(), 1.0 / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_score_has_its_share_of_a_softmax() {
        let (place, share) = best(&[0.0, 2f32.ln(), 0.0]);
        assert_eq!(place, 1);
        assert!((share - 0.5).abs() < 1e-6, "{share}");
        assert_eq!(best(&[3.0, 3.0]), (0, 0.5));
    }
}
