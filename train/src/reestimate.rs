//! Batch-norm statistics of a trained network, estimated anew with its final weights.

use crate::data::{Augment, Dataset, Loader, LoaderConfig};
use crate::running::{changed, cleared, momentum, statistics};
use crate::{Error, Recipe};
use burn::module::Module;
use burn::tensor::Tensor;
use std::sync::Arc;

/// The batches of a recipe that statistics are estimated by: the first ones of its run, as they are without augmentation,
/// and as long as the `parts` that a batch is divided in.
pub(crate) fn batches(
    recipe: &Recipe,
    parts: usize,
    dataset: Arc<Dataset>,
    indices: Arc<Vec<usize>>,
) -> Result<Loader, Error> {
    let config = recipe.loading(0..recipe.norm_batches);
    let config = LoaderConfig { batch_size: recipe.batch_size / parts, augment: Augment::default(), ..config };
    Ok(Loader::new(dataset, indices, config)?)
}

/// Gives every batch normalisation the mean of the statistics of some batches; frozen ones keep theirs.
///
/// `forward` runs the next batch through the network, in training mode, and says whether there was one.
///
/// # Source
/// Wu and Johnson 2021, "Rethinking Batch in BatchNorm", section 3: PreciseBN; the same as PyTorch's `update_bn`.
pub(crate) fn reestimate<M: Module>(
    mut network: M,
    mut forward: impl FnMut(&M) -> Result<bool, Error>,
) -> Result<M, Error> {
    let mut sums: Vec<Tensor<1>> = Vec::new();
    let mut batches = 0;
    loop {
        network = cleared(network);
        if !forward(&network)? {
            break;
        }
        let found = statistics(&network);
        sums = match sums.is_empty() {
            true => found,
            false => sums.into_iter().zip(found).map(|(sum, found)| sum + found).collect(),
        };
        batches += 1;
    }
    if batches == 0 {
        return Err(Error::Internal { what: "no batch to estimate batch-norm statistics by".into() });
    }
    let scale = 1.0 / (momentum() * f64::from(batches));
    let means: Vec<Tensor<1>> = sums.into_iter().map(|sum| sum.mul_scalar(scale)).collect();
    Ok(changed(network, |statistic, place| means[place].clone().to_device(&statistic.device())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::freeze;
    use crate::parameters::number_by_place;
    use burn::nn::{BatchNorm, BatchNormConfig};
    use burn::tensor::Device;

    #[derive(Module, Debug)]
    struct Two {
        first: BatchNorm,
        second: BatchNorm,
    }

    fn of(norm: &BatchNorm) -> [Vec<f32>; 2] {
        [&norm.running_mean, &norm.running_var].map(|running| running.value_sync().into_data().iter().collect())
    }

    #[test]
    fn statistics_become_the_means_of_the_batches_and_frozen_ones_stay() {
        let device = Device::flex().autodiff();
        let norm = || BatchNormConfig::new(2).init(&device);
        let two = number_by_place(Two { first: norm(), second: norm() });
        let two = freeze(two, &["second".to_owned()]);
        let batches = [[[1.0, 5.0], [3.0, 5.0]], [[0.0, 1.0], [8.0, 3.0]]];
        drop(two.first.forward(Tensor::<2>::from_floats([[100.0, 100.0], [0.0, 7.0]], &device)));
        let before = of(&two.second);
        let mut rest = batches.into_iter();
        let two = reestimate(two, |two| {
            let Some(batch) = rest.next() else { return Ok(false) };
            let batch = Tensor::<2>::from_floats(batch, &device);
            drop((two.first.forward(batch.clone()), two.second.forward(batch)));
            Ok(true)
        })
        .unwrap();
        // The mean over two batches of their means and of their biased variances.
        let expected = [[(2.0 + 4.0) / 2.0, (5.0 + 2.0) / 2.0], [(1.0 + 16.0) / 2.0, (0.0 + 1.0) / 2.0]];
        for (found, expected) in of(&two.first).iter().zip(expected) {
            assert!(
                found.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-4),
                "{found:?} {expected:?}"
            );
        }
        assert_eq!(of(&two.second), before);
        assert_eq!(before, [[0.0; 2].to_vec(), [1.0; 2].to_vec()]);
    }
}
