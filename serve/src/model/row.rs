//! What a model says about one image.

/// The outputs of one item, in the order of [`crate::model_file::ModelFile::output_names`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// One vector for each output.
    pub outputs: Vec<Vec<f32>>,
}

impl Row {
    /// Whether every number is finite; anything else is a failure of the model on this item.
    pub fn is_finite(&self) -> bool {
        self.outputs.iter().flatten().all(|value| value.is_finite())
    }
}

/// The length of a vector.
pub fn length(vector: &[f32]) -> f64 {
    vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt()
}

/// Scales a vector to length 1; a vector of zeros stays.
pub fn normalise(vector: &mut [f32]) {
    let length = length(vector);
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
    }
}

/// The vector at length 1; one of zeros stays.
pub fn unit(vector: &[f32]) -> Vec<f32> {
    let mut unit = vector.to_vec();
    normalise(&mut unit);
    unit
}

/// Cosine of the angle between two vectors of the same length; a vector of zeros has no direction and gives 0.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 { (dot(a, b) / lengths).clamp(-1.0, 1.0) } else { 0.0 }
}

/// Class scores to probabilities.
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|logit| f64::from(logit - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| (power / sum) as f32).collect()
}

/// The places of the numbers, the highest number first, of equal ones the lower place first.
pub fn ranked(numbers: &[f32]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..numbers.len()).collect();
    places.sort_by(|a, b| numbers[*b].total_cmp(&numbers[*a]));
    places
}

/// The `count` best classes with their probabilities, best first. Scores decide, where probabilities are all the same 0.
pub fn best(logits: &[f32], count: usize) -> Vec<(usize, f32)> {
    let probabilities = softmax(logits);
    ranked(logits).into_iter().take(count).map(|class| (class, probabilities[class])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normalised_vector_has_length_one() {
        let mut vector = [3.0, 4.0];
        normalise(&mut vector);
        assert_eq!(vector, [0.6, 0.8]);
        let mut zeros = [0.0, 0.0];
        normalise(&mut zeros);
        assert_eq!(zeros, [0.0, 0.0]);
    }

    #[test]
    fn a_cosine_knows_directions_alone() {
        let cases = [([3.0, 4.0], [6.0, 8.0], 1.0), ([1.0, 0.0], [0.0, 2.0], 0.0), ([1.0, -1.0], [-2.0, 2.0], -1.0)];
        for (a, b, expected) in cases.into_iter().chain([([0.0, 0.0], [1.0, 0.0], 0.0)]) {
            let found = cosine(&a, &b);
            assert!((found - expected).abs() <= f64::EPSILON, "{a:?} {b:?}: {found}");
        }
    }

    #[test]
    fn probabilities_add_up_and_do_not_overflow() {
        for logits in [[0.0, 0.0], [1000.0, 999.0], [-1000.0, 1000.0]] {
            let sum: f32 = softmax(&logits).iter().sum();
            assert!((sum - 1.0).abs() <= f32::EPSILON, "{logits:?} gives {sum}");
        }
    }

    #[test]
    fn the_best_come_first() {
        let indices: Vec<usize> = best(&[1.0, 3.0, 2.0, 3.0], 3).iter().map(|(index, _)| *index).collect();
        assert_eq!(indices, [1, 3, 2]);
        assert_eq!(best(&[1000.0, -5.0, 3.0], 3), [(0, 1.0), (2, 0.0), (1, 0.0)]);
    }
}
