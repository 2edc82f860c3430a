//! The end of a run: which network it leaves, and the numbers of that one.

use super::training::Training;
use super::{Plan, Task, Trained};
use crate::average::Average;
use crate::parameters::are_finite;
use crate::reestimate::{batches, reestimate};
use crate::run::metrics::Split;
use crate::{Error, Recipe, checkpoint};
use burn::module::Module;
use std::collections::BTreeMap;

/// Numbers of the last line of metrics that say nothing about the network.
const TIMINGS: [&str; 5] = ["seconds", "images_per_second", "data_wait", "lr", "gradient_norm"];

impl<T: Task> Training<'_, T> {
    pub(super) fn finish(&mut self, mut network: T::Network) -> Result<Trained<T::Network>, Error> {
        let Recipe { batch_size, norm_batches, ema_decay, .. } = *self.plan.recipe;
        if self.state.window.steps > 0 {
            self.log()?;
        }
        let mut step = self.state.step;
        if let Some(best) = self.state.best.clone() {
            // The last state stays beside the best one.
            self.checkpoint(&network).map_err(|error| self.unwritten(error))?;
            self.progress.say(&format!("the best step on the validation images is {}", best.step));
            let average = self.descent.average.take().map(|average| average.network().clone());
            let (of_best, average) = checkpoint::best::load(&self.checkpoints(), best.step, network, average)?;
            network = of_best;
            self.descent.average = average.map(|average| Average::from_saved(average, ema_decay));
            step = best.step;
        }
        if norm_batches > 0 {
            network = self.reestimate(network)?;
            if let Some(average) = self.descent.average.take() {
                let of_average = self.reestimate(average.network().clone().train())?;
                self.descent.average = Some(Average::new(&of_average, ema_decay));
            }
        }
        let network = network.valid();
        if !are_finite(&network)? {
            return Err(Error::NotFinite { step, what: "sum of the weights".into(), value: f64::NAN });
        }
        self.evaluate(&network, Split::Test, &self.plan.dataset.test)?;
        self.draw()?;
        self.progress.finish();
        let mut metrics = self.metrics.last();
        for timing in TIMINGS {
            metrics.remove(timing);
        }
        if let Some(best) = &self.state.best {
            metrics.insert("validation_accuracy".into(), best.accuracy);
            metrics.insert("validation_loss".into(), best.loss);
        }
        let chance = self.descent.task.chance();
        metrics.insert("chance_accuracy".into(), chance.accuracy);
        metrics.insert("chance_loss".into(), chance.loss);
        let (seconds, images) = (self.state.seconds, self.state.step * batch_size as u64);
        metrics.insert("images_per_second".into(), images as f64 / seconds.max(f64::MIN_POSITIVE));
        let average = self.descent.average.take().map(|average| (average.network().clone(), of_average(&metrics)));
        Ok(Trained { network, average, step, seconds, metrics })
    }

    /// Estimates batch-norm statistics anew by the first batches of a run, as they are without augmentation.
    fn reestimate(&self, network: T::Network) -> Result<T::Network, Error> {
        let Plan { recipe, devices, dataset, indices, .. } = self.plan;
        let mut loader = batches(recipe, recipe.parts(devices.len()), dataset.clone(), indices.clone())?;
        reestimate(network, |network| match loader.next().transpose()? {
            Some(batch) => {
                let draw = batch.step;
                drop(self.descent.score(network, batch, draw));
                Ok(true)
            }
            None => Ok(false),
        })
    }
}

/// The metrics of an average: its own numbers in the place of those of the last weights.
fn of_average(metrics: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let (own, other): (BTreeMap<_, _>, BTreeMap<_, _>) =
        metrics.clone().into_iter().partition(|(name, _)| name.contains("ema_"));
    let mut metrics = other;
    metrics.extend(own.into_iter().map(|(name, value)| (name.replace("ema_", ""), value)));
    metrics
}
