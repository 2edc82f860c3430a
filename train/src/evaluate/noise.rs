//! How well classes are found when there is noise on the pixels.

use super::confusion::Confusion;
use super::outputs::outputs_by;
use crate::Error;
use crate::data::{DataError, Dataset, Split, batch_plain};
use crate::seeds::{self, Purpose};
use burn::tensor::{Device, Tensor};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Standard deviations that are measured.
/// # Units
/// The byte range is 0 to 1.
pub const SIGMAS: [f64; 3] = [0.05, 0.1, 0.2];
/// Seed of the noise; each image has a stream of its own, the same at every strength.
const SEED: u64 = 0;

/// What noise of a strength leaves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Noisy {
    /// Standard deviation.
    /// # Units
    /// The byte range is 0 to 1.
    pub sigma: f64,
    /// Accuracy of the class scores.
    pub accuracy: f64,
    /// Mean cross-entropy of the class scores.
    pub loss: f64,
}

/// Measures the class scores at every strength; the first output of `forward` is the embedding, the second the scores.
pub(super) fn measure(
    dataset: &Dataset,
    split: &Split,
    batch_size: usize,
    device: &Device,
    forward: impl Fn(Tensor<4>) -> Vec<Tensor<2>>,
) -> Result<Vec<Noisy>, Error> {
    let of = |sigma: f64| {
        let load = |range| noisy(dataset, split, range, sigma);
        let outputs = outputs_by(load, dataset, split, batch_size, device, &forward)?;
        let logits =
            outputs.get(1).ok_or_else(|| Error::Internal { what: "a network lost its class scores".into() })?;
        let confusion = Confusion::of(logits, &split.labels, dataset.labels.len());
        Ok(Noisy { sigma, accuracy: confusion.accuracy(), loss: confusion.loss })
    };
    SIGMAS.iter().map(|sigma| of(*sigma)).collect()
}

/// Images of a range with Gaussian noise on their pixels, cut to the byte range; the black around them stays black.
/// # Source
/// Hendrycks and Dietterich 2019, "Benchmarking neural network robustness": Gaussian noise.
fn noisy(dataset: &Dataset, split: &Split, range: Range<usize>, sigma: f64) -> Result<Vec<f32>, DataError> {
    let Dataset { height, width, native: (rows, columns), mean, std, .. } = dataset;
    let (top, left) = ((height - rows) / 2, (width - columns) / 2);
    let mut images = batch_plain(dataset, split, range.clone())?;
    for (index, image) in range.zip(images.chunks_exact_mut(dataset.image_len())) {
        let mut random = seeds::generator(SEED, Purpose::Noise, index as u64);
        for ((plane, mean), std) in image.chunks_exact_mut(height * width).zip(mean).zip(std) {
            for row in plane.chunks_exact_mut(*width).skip(top).take(*rows) {
                for number in &mut row[left..left + columns] {
                    let draw: f64 = StandardNormal.sample(&mut random);
                    let pixel = *number * std + mean + (sigma * draw) as f32;
                    *number = (pixel.clamp(0.0, 1.0) - mean) / std;
                }
            }
        }
    }
    Ok(images)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data;

    #[test]
    fn noise_has_its_strength_stays_in_the_byte_range_and_belongs_to_the_image() {
        let dataset = data::open("fashion-mnist-sample").unwrap();
        let (mean, std) = (dataset.mean[0], dataset.std[0]);
        let clean = batch_plain(&dataset, &dataset.test, 0..50).unwrap();
        let found = noisy(&dataset, &dataset.test, 0..50, 0.1).unwrap();
        let pixel = |number: f32| f64::from(number * std + mean);
        // Pixels that no noise of this strength takes out of the range.
        let middle: Vec<f64> = (clean.iter().zip(&found))
            .filter(|(clean, _)| (0.45..0.55).contains(&pixel(**clean)))
            .map(|(clean, found)| pixel(*found) - pixel(*clean))
            .collect();
        let deviation = (middle.iter().map(|gap| gap * gap).sum::<f64>() / middle.len() as f64).sqrt();
        assert!(middle.len() > 500 && (0.09..0.11).contains(&deviation), "{} pixels: {deviation}", middle.len());
        assert!(found.iter().all(|number| (-1e-5..=1.0 + 1e-5).contains(&pixel(*number))));
        // The first rows and columns are the black around the image.
        assert_eq!(found[..dataset.width], clean[..dataset.width]);
        let len = dataset.image_len();
        assert_eq!(noisy(&dataset, &dataset.test, 7..9, 0.1).unwrap(), found[7 * len..9 * len]);
    }
}
