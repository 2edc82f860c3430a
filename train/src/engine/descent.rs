//! One step of gradient descent.

use super::{Scores, Task, numbers};
use crate::average::Average;
use crate::data::{Batch, Dataset};
use crate::seeds::{self, Purpose};
use crate::{Error, Recipe, gradients, optimiser};
use burn::optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use selfie_models::seeded::seeded;

/// What goes down the slope of a task, and what it takes along from step to step.
pub(crate) struct Descent<'a, T: Task> {
    pub(crate) recipe: &'a Recipe,
    /// With automatic differentiation.
    pub(crate) device: &'a Device,
    pub(crate) dataset: &'a Dataset,
    pub(crate) task: &'a T,
    pub(crate) optimiser: ModuleOptimizer,
    pub(crate) average: Option<Average<T::Network>>,
}

/// The numbers of a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stepped {
    pub(crate) loss: f64,
    pub(crate) accuracy: f64,
    pub(crate) gradient_norm: f64,
}

/// Means over a batch, `[1]` each, and the gradients of the loss.
struct Slope {
    loss: Tensor<1>,
    accuracy: Tensor<1>,
    gradients: GradientsParams,
}

impl<'a, T: Task> Descent<'a, T> {
    /// A descent that begins with a network whose parameters are numbered by place.
    pub(crate) fn new(
        recipe: &'a Recipe,
        device: &'a Device,
        dataset: &'a Dataset,
        task: &'a T,
        network: &T::Network,
    ) -> Self {
        let optimiser = optimiser::new(network, recipe);
        let average = (recipe.ema_decay > 0.0).then(|| Average::new(network, recipe.ema_decay));
        Self { recipe, device, dataset, task, optimiser, average }
    }

    /// One step with a batch.
    pub(crate) fn step(
        &mut self,
        network: T::Network,
        batch: Batch,
        learning_rate: f64,
    ) -> Result<(T::Network, Stepped), Error> {
        let step = batch.step + 1;
        let Slope { loss, accuracy, mut gradients } = self.slope(&network, batch);
        let norm = gradients::global_norm(&network, &gradients).unwrap_or_else(|| loss.zeros_like());
        if self.recipe.clip_norm > 0.0 {
            gradients = gradients::clip(&network, gradients, &norm, self.recipe.clip_norm);
        }
        // One read, and so one wait for the device, a step.
        let numbers = numbers(vec![loss, accuracy, norm])?;
        let [loss, accuracy, gradient_norm] = numbers[..] else {
            return Err(Error::Internal { what: format!("loss, accuracy and norm are {numbers:?}") });
        };
        for (what, value) in [("loss", loss), ("norm of the gradients", gradient_norm)] {
            if !value.is_finite() {
                return Err(Error::NotFinite { step, what: what.into(), value });
            }
        }
        let network = self.optimiser.step(learning_rate, network, gradients);
        if let Some(average) = &mut self.average {
            average.follow(&network, step)?;
        }
        Ok((network, Stepped { loss, accuracy, gradient_norm }))
    }

    /// The parts of a batch, one after the other.
    fn slope(&self, network: &T::Network, batch: Batch) -> Slope {
        let parts = self.recipe.accumulate;
        let first = batch.step * parts as u64;
        let mut accumulator = GradientsAccumulator::new();
        let (mut losses, mut accuracies) = (Vec::with_capacity(parts), Vec::with_capacity(parts));
        for (batch, draw) in batch.parts(parts).into_iter().zip(first..) {
            let scores = self.score(network, batch, draw);
            losses.push(scores.loss.clone().inner());
            accuracies.push(scores.accuracy.inner());
            let loss = if parts == 1 { scores.loss } else { scores.loss.div_scalar(parts as f64) };
            accumulator.accumulate(network, GradientsParams::from_grads(loss.backward(), network));
        }
        let mean =
            |values: Vec<Tensor<1>>| if parts == 1 { Tensor::cat(values, 0) } else { Tensor::cat(values, 0).mean() };
        Slope { loss: mean(losses), accuracy: mean(accuracies), gradients: accumulator.grads() }
    }

    /// Loss and accuracy of a batch, with random choices of its own.
    pub(crate) fn score(&self, network: &T::Network, mut batch: Batch, draw: u64) -> Scores {
        let Dataset { channels, height, width, .. } = *self.dataset;
        let shape = [batch.labels.len(), channels, height, width];
        let images = Tensor::from_data(TensorData::new(std::mem::take(&mut batch.images), shape), self.device);
        let seed = seeds::number(self.recipe.seed, Purpose::Dropout, draw);
        seeded(self.device, seed, || self.task.score(network, images, &batch, draw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::batch::tests::tiny;
    use crate::data::{Loader, LoaderConfig, Split};
    use crate::engine::Chance;
    use crate::parameters::number_by_place;
    use burn::nn::{Initializer, Linear, LinearConfig};
    use selfie_models::network::Network;
    use std::collections::BTreeMap;
    use std::sync::Arc;

    /// A linear layer that should say 1 for every image.
    struct One;

    impl Task for One {
        type Network = Linear;

        fn score(&self, network: &Linear, images: Tensor<4>, batch: &Batch, _draw: u64) -> Scores {
            let pixels: Tensor<2> = images.reshape([batch.labels.len(), 12]);
            let loss = network.forward(pixels).sub_scalar(1.0).square().mean();
            Scores { accuracy: loss.clone().detach(), loss }
        }

        fn evaluate(&self, _: &Linear, _: &Split) -> Result<BTreeMap<String, f64>, Error> {
            Ok(BTreeMap::new())
        }

        fn chance(&self) -> Chance {
            Chance::among(2)
        }

        fn wrap(_: Linear) -> Network {
            panic!("a linear layer is no network of ours")
        }
    }

    fn after_five_steps(recipe: &Recipe) -> (Vec<f32>, Vec<Stepped>) {
        let (device, dataset) = (Device::flex().autodiff(), tiny(30));
        // Not drawn: Burn's random numbers are one stream for the process, and other tests draw from it.
        let config = LinearConfig::new(12, 1).with_initializer(Initializer::Constant { value: 0.1 });
        let mut network = number_by_place(config.init(&device));
        let mut descent = Descent::new(recipe, &device, &dataset, &One, &network);
        let config = LoaderConfig { batch_size: 12, last_step: 5, ..LoaderConfig::default() };
        let mut numbers = Vec::new();
        for batch in Loader::new(dataset.clone(), Arc::new((0..30).collect()), config).unwrap() {
            let stepped;
            (network, stepped) = descent.step(network, batch.unwrap(), 0.01).unwrap();
            numbers.push(stepped);
        }
        (network.weight.val().into_data().iter().collect(), numbers)
    }

    #[test]
    fn the_parts_of_a_batch_lead_where_the_whole_batch_leads() {
        let (whole, numbers) = after_five_steps(&Recipe::default());
        assert!(numbers[4].loss < numbers[0].loss, "{numbers:?}");
        for accumulate in [2, 3, 6] {
            let (parts, of_parts) = after_five_steps(&Recipe { accumulate, ..Recipe::default() });
            let largest = whole.iter().zip(&parts).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(largest < 1e-5, "{accumulate}: {largest}");
            for (whole, part) in numbers.iter().zip(of_parts) {
                let close = |a: f64, b: f64| (a - b).abs() < 1e-4 * a.abs().max(1.0);
                assert!(
                    close(whole.loss, part.loss) && close(whole.gradient_norm, part.gradient_norm),
                    "{whole:?} {part:?}"
                );
            }
        }
    }
}
