//! Does a network that says 80 % hit in 80 of 100 cases?

use super::outputs::Rows;

/// Equal parts of the range of confidence, from 0 to 1.
const BINS: usize = 15;

/// The expected calibration error: the gap between confidence and accuracy, over 15 bins of confidence weighted by their images.
///
/// The confidence of an image is its largest class probability; of equal scores the first counts.
///
/// # Source
/// Guo et al. 2017, equation 3.
pub(crate) fn expected_calibration_error(logits: &Rows, labels: &[u32]) -> f64 {
    // Sums of confidence minus hits.
    let mut gaps = [0.0; BINS];
    for (scores, label) in logits.iter().zip(labels) {
        let (found, confidence) = most_likely(scores);
        let bin = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
        gaps[bin] += confidence - f64::from(u8::from(found == *label as usize));
    }
    gaps.iter().map(|gap: &f64| gap.abs()).sum::<f64>() / labels.len().max(1) as f64
}

/// The class with the largest score, and its probability.
fn most_likely(scores: &[f32]) -> (usize, f64) {
    let (mut found, mut largest) = (0, f64::NEG_INFINITY);
    for (class, score) in scores.iter().enumerate() {
        if f64::from(*score) > largest {
            (found, largest) = (class, f64::from(*score));
        }
    }
    let sum: f64 = scores.iter().map(|score| (f64::from(*score) - largest).exp()).sum();
    (found, 1.0 / sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores of two classes in which the first has a probability.
    fn scores(probabilities: &[f64]) -> Rows {
        let logit = |probability: &f64| [(probability / (1.0 - probability)).ln() as f32, 0.0];
        Rows { width: 2, values: probabilities.iter().flat_map(logit).collect() }
    }

    #[test]
    fn the_error_is_the_one_by_hand() {
        // Bins of 1/15. 0.62 and 0.65 share (0.6, 0.667]: one of two is right. 0.9 and 0.92 share (0.867, 0.933]: both
        // are. 0.3 is 0.7 for the second class, which is right, alone in (0.667, 0.733].
        let logits = scores(&[0.62, 0.9, 0.65, 0.92, 0.3]);
        let error = expected_calibration_error(&logits, &[0, 0, 1, 0, 1]);
        let by_hand = ((0.62 + 0.65 - 1.0) + (2.0 - 0.9 - 0.92) + (1.0 - 0.7)) / 5.0;
        assert!((error - by_hand).abs() < 1e-6, "{error} {by_hand}");
    }

    #[test]
    fn certain_and_right_has_no_error_and_certain_and_wrong_has_all() {
        let logits = Rows { width: 3, values: vec![90.0, 0.0, 0.0, 0.0, 0.0, 90.0] };
        assert!(expected_calibration_error(&logits, &[0, 2]) < 1e-12);
        assert!((expected_calibration_error(&logits, &[1, 0]) - 1.0).abs() < 1e-12);
        assert_eq!(expected_calibration_error(&Rows::default(), &[]), 0.0);
    }
}
