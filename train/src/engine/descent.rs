//! One step of gradient descent.

use super::crew::Crew;
use super::lane::{Lane, follow};
use super::part::Part;
use super::{Scores, Task, numbers};
use crate::average::Average;
use crate::data::{Batch, Dataset};
use crate::recipe::Precision;
use crate::{Error, Recipe, gradients, optimiser};
use burn::optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};

/// What goes down the slope of a task, and what it takes along from step to step.
pub(crate) struct Descent<'a, T: Task> {
    recipe: &'a Recipe,
    pub(crate) task: &'a T,
    pub(crate) optimiser: ModuleOptimizer,
    pub(crate) average: Option<Average<T::Network>>,
    /// The first device, where the weights are.
    lane: Lane,
    /// Parts of a batch.
    parts: usize,
    /// Where batches go through copies of the network: on several devices, or in fewer bits.
    crew: Option<Crew<T>>,
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
    /// Running statistics of the copies, part by part.
    statistics: Vec<Vec<Tensor<1>>>,
}

impl<'a, T: Task> Descent<'a, T> {
    /// A descent that begins with a network whose parameters are numbered by place; it is on the first of some devices with
    /// automatic differentiation.
    pub(crate) fn new(
        recipe: &'a Recipe,
        devices: &[Device],
        dataset: &Dataset,
        task: &'a T,
        network: &T::Network,
    ) -> Self {
        let optimiser = optimiser::new(network, recipe);
        let average = (recipe.ema_decay > 0.0).then(|| Average::new(network, recipe.ema_decay));
        let lanes: Vec<Lane> = devices.iter().map(|device| Lane::new(recipe, device, dataset)).collect();
        let lane = lanes[0].clone();
        let crew = (devices.len() > 1 || recipe.precision != Precision::F32).then(|| {
            let lanes = lanes.into_iter().map(|lane| lane.in_precision(recipe.precision)).collect();
            Crew::new(lanes, lane.device.clone().inner(), task)
        });
        Self { recipe, task, optimiser, average, lane, parts: recipe.parts(devices.len()), crew }
    }

    /// One step with a batch.
    pub(crate) fn step(
        &mut self,
        network: T::Network,
        batch: Batch,
        learning_rate: f64,
    ) -> Result<(T::Network, Stepped), Error> {
        let step = batch.step + 1;
        let Slope { loss, accuracy, mut gradients, statistics } = self.slope(&network, batch)?;
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
        let network = if statistics.is_empty() { network } else { follow(network, &statistics) };
        if let Some(average) = &mut self.average {
            average.follow(&network, step)?;
        }
        Ok((network, Stepped { loss, accuracy, gradient_norm }))
    }

    /// The parts of a batch: one after the other, or on their devices.
    fn slope(&mut self, network: &T::Network, batch: Batch) -> Result<Slope, Error> {
        let parts = self.parts;
        let first = batch.step * parts as u64;
        let batches = batch.parts(parts).into_iter().zip(first..);
        let mut accumulator = GradientsAccumulator::new();
        let (mut losses, mut accuracies, mut statistics) =
            (Vec::with_capacity(parts), Vec::with_capacity(parts), vec![]);
        let mut take = |part: Part| {
            losses.push(part.loss);
            accuracies.push(part.accuracy);
            statistics.push(part.statistics);
            accumulator.accumulate(network, part.gradients);
        };
        match &mut self.crew {
            Some(crew) => crew.descend(network, batches.collect(), take)?,
            None => {
                for (batch, draw) in batches {
                    take(Part::of(network, self.lane.score(self.task, network, batch, draw), parts));
                }
                statistics.clear();
            }
        }
        let mean =
            |values: Vec<Tensor<1>>| if parts == 1 { Tensor::cat(values, 0) } else { Tensor::cat(values, 0).mean() };
        Ok(Slope { loss: mean(losses), accuracy: mean(accuracies), gradients: accumulator.grads(), statistics })
    }

    /// Loss and accuracy of a batch on the first device, in 32 bits.
    pub(crate) fn score(&self, network: &T::Network, batch: Batch, draw: u64) -> Scores {
        self.lane.score(self.task, network, batch, draw)
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
    #[derive(Clone)]
    struct One;

    impl Task for One {
        type Network = Linear;

        fn score(&self, network: &Linear, images: Tensor<4>, batch: &Batch, _draw: u64) -> Scores {
            let pixels: Tensor<2> = images.reshape([batch.labels.len(), 12]);
            let loss = network.forward(pixels).cast(Precision::F32.dtype()).sub_scalar(1.0).square().mean();
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
        after_five_steps_on(1, recipe)
    }

    fn after_five_steps_on(devices: usize, recipe: &Recipe) -> (Vec<f32>, Vec<Stepped>) {
        let (device, dataset) = (Device::flex().autodiff(), tiny(30));
        let devices = vec![device.clone(); devices];
        // Not drawn: Burn's random numbers are one stream for the process, and other tests draw from it.
        let config = LinearConfig::new(12, 1).with_initializer(Initializer::Constant { value: 0.1 });
        let mut network = number_by_place(config.init(&device));
        let mut descent = Descent::new(recipe, &devices, &dataset, &One, &network);
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

    #[test]
    fn devices_take_the_parts_of_a_batch_to_the_very_same_numbers() {
        let clipped = Recipe { clip_norm: 0.5, ..Recipe::default() };
        for (devices, accumulate) in [(2, 1), (3, 1), (2, 3), (3, 2)] {
            let on_one = after_five_steps(&Recipe { accumulate: devices * accumulate, ..clipped.clone() });
            let on_all = after_five_steps_on(devices, &Recipe { accumulate, ..clipped.clone() });
            assert_eq!(on_all, on_one, "{devices} devices, {accumulate}");
        }
    }

    #[test]
    fn steps_in_bfloat16_stay_near_those_in_32_bits_and_train_weights_of_32() {
        let recipe = |precision: Precision| Recipe { precision, ..Recipe::default() };
        let (wide, narrow) = (after_five_steps(&recipe(Precision::F32)), after_five_steps(&recipe(Precision::Bf16)));
        // Eight bits of a mantissa: 1 in 256.
        for (wide, narrow) in wide.0.iter().zip(&narrow.0) {
            assert!((wide - narrow).abs() < wide.abs().max(0.1) / 50.0, "{wide} {narrow}");
        }
        let is_16_bits = |number: &f32| number.to_bits().trailing_zeros() >= 16;
        assert!(!narrow.0.iter().all(is_16_bits), "the weights were rounded: {:?}", narrow.0);
        assert_ne!(wide.0, narrow.0);
    }

    #[test]
    #[should_panic(expected = "is invalid for input of size")]
    fn a_panic_on_a_device_ends_the_step_with_it() {
        let device = Device::flex().autodiff();
        let config = LinearConfig::new(12, 1).with_initializer(Initializer::Zeros);
        let network = number_by_place(config.init(&device));
        let (recipe, dataset) = (Recipe::default(), tiny(4));
        let devices = [device.clone(), device];
        let mut descent = Descent::new(&recipe, &devices, &dataset, &One, &network);
        let batch = Batch { step: 0, images: vec![0.0; 11], labels: vec![0; 2], mix: None, indices: vec![0; 2] };
        drop(descent.step(network, batch, 0.1));
    }
}
