//! Batch-norm statistics of a trained network, estimated anew with its final weights.

use crate::average::Numbers;
use crate::data::{Augment, Dataset, Loader, LoaderConfig};
use crate::{Error, Recipe};
use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param};
use burn::nn::BatchNormConfig;
use burn::tensor::Tensor;
use std::sync::Arc;

/// The batches of a recipe that statistics are estimated by: the first ones of its run, as they are without augmentation.
pub(crate) fn batches(recipe: &Recipe, dataset: Arc<Dataset>, indices: Arc<Vec<usize>>) -> Result<Loader, Error> {
    let Recipe { seed, batch_size, accumulate, norm_batches, workers, prefetch, .. } = *recipe;
    let config = LoaderConfig {
        batch_size: batch_size / accumulate,
        seed,
        first_step: 0,
        last_step: norm_batches,
        augment: Augment::default(),
        workers,
        prefetch,
    };
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
        // Burn's batch norm holds its latest statistics back until they are asked for; `valid` asks.
        drop(network.valid());
        network = network.map(&mut Statistics::new(|tensor: Tensor<1>, _: usize| tensor.zeros_like()));
        if !forward(&network)? {
            break;
        }
        drop(network.valid());
        let mut found = Found::default();
        network.visit(&mut found);
        let found = found.statistics.0;
        sums = match sums.is_empty() {
            true => found,
            false => sums.into_iter().zip(found).map(|(sum, found)| sum + found).collect(),
        };
        batches += 1;
    }
    if batches == 0 {
        return Err(Error::Internal { what: "no batch to estimate batch-norm statistics by".into() });
    }
    // From 0, one batch moves the running statistics by `momentum` times its own.
    let scale = 1.0 / (BatchNormConfig::new(1).momentum * f64::from(batches));
    let means: Vec<Tensor<1>> = sums.into_iter().map(|sum| sum.mul_scalar(scale)).collect();
    Ok(network
        .map(&mut Statistics::new(|tensor: Tensor<1>, place: usize| means[place].clone().to_device(&tensor.device()))))
}

/// Follows the fields of a module to tell the statistics of batch normalisations in training from all else.
#[derive(Default)]
struct Place {
    path: Vec<String>,
    /// Whether the latest layer with such a flag is in training; it comes before the layer's statistics.
    is_training: bool,
}

impl Place {
    fn is_statistic(&self) -> bool {
        self.is_training && self.path.last().is_some_and(|name| name.starts_with("running_"))
    }
}

#[derive(Default)]
struct Found {
    place: Place,
    statistics: Numbers,
}

impl ModuleVisitor for Found {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.place.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.place.path.pop();
    }

    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.place.is_training = flag.is_enabled();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.place.is_statistic() {
            self.statistics.visit_float(param);
        }
    }
}

/// Replaces every statistic; `change` gets it and its number.
struct Statistics<F> {
    place: Place,
    count: usize,
    change: F,
}

impl<F> Statistics<F> {
    fn new(change: F) -> Self {
        Self { place: Place::default(), count: 0, change }
    }
}

impl<F: FnMut(Tensor<1>, usize) -> Tensor<1>> ModuleMapper for Statistics<F> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.place.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.place.path.pop();
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        self.place.is_training = flag.is_enabled();
        flag
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !self.place.is_statistic() {
            return param;
        }
        let number = self.count;
        self.count += 1;
        param.map(|tensor| {
            let shape = tensor.shape();
            let count = shape.num_elements();
            (self.change)(tensor.reshape([count]), number).reshape(shape)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::freeze;
    use crate::parameters::number_by_place;
    use burn::nn::BatchNorm;
    use burn::tensor::Device;

    #[derive(Module, Debug)]
    struct Two {
        first: BatchNorm,
        second: BatchNorm,
    }

    fn statistics(norm: &BatchNorm) -> [Vec<f32>; 2] {
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
        let before = statistics(&two.second);
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
        for (found, expected) in statistics(&two.first).iter().zip(expected) {
            assert!(
                found.iter().zip(expected).all(|(a, b): (&f32, f32)| (a - b).abs() < 1e-4),
                "{found:?} {expected:?}"
            );
        }
        assert_eq!(statistics(&two.second), before);
        assert_eq!(before, [[0.0; 2].to_vec(), [1.0; 2].to_vec()]);
    }
}
