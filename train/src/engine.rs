//! The training loop that pretraining and fine-tuning share: plain steps, metrics, checkpoints.

use crate::checkpoint::{self, State, Window};
use crate::data::{Batch, Dataset, Loader, LoaderConfig};
use crate::parameters::number_by_place;
use crate::progress::Progress;
use crate::run::metrics::{Line, Metrics, Split};
use crate::run::{CHECKPOINTS_FOLDER, CURVES_FILE, METRICS_FILE, RunFolder};
use crate::schedule::Schedule;
use crate::seeds::{self, Purpose};
use crate::tensorboard::Events;
use crate::{Error, Recipe, gradients, optimiser, plot};
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use selfie_models::network::Network;
use selfie_models::seeded::seeded;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// What pretraining and fine-tuning do differently.
pub(crate) trait Task {
    /// The network that is trained.
    type Network: Module;

    /// Loss and accuracy of a training batch; its pixels are in `images` alone.
    fn score(&self, network: &Self::Network, images: Tensor<4>, batch: &Batch) -> Scores;

    /// Numbers over the test split; the network is in evaluation mode.
    fn evaluate(&self, network: &Self::Network) -> Result<BTreeMap<String, f64>, Error>;

    /// What knowing nothing gives.
    fn chance(&self) -> Chance;

    /// The network as any network.
    fn wrap(network: Self::Network) -> Network;
}

/// Loss and accuracy of a batch, `[1]` each.
pub(crate) struct Scores {
    pub(crate) loss: Tensor<1>,
    pub(crate) accuracy: Tensor<1>,
}

/// The accuracy and the loss of knowing nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Chance {
    pub(crate) accuracy: f64,
    pub(crate) loss: f64,
}

impl Chance {
    /// A guess among `answers` equally likely ones.
    pub(crate) fn among(answers: usize) -> Self {
        Self { accuracy: 1.0 / answers as f64, loss: (answers as f64).ln() }
    }
}

/// Everything that a loop needs beside the task.
pub(crate) struct Plan<'a> {
    pub(crate) recipe: &'a Recipe,
    pub(crate) folder: &'a RunFolder,
    /// With automatic differentiation.
    pub(crate) device: Device,
    pub(crate) dataset: Arc<Dataset>,
    /// Training images that are used.
    pub(crate) indices: Arc<Vec<usize>>,
    /// What a checkpoint must belong to.
    pub(crate) identity: State,
    /// First start of the run, in seconds since 1970.
    pub(crate) started_unix_s: u64,
    pub(crate) quiet: bool,
}

/// A trained network and what it took.
pub(crate) struct Trained<N> {
    /// In evaluation mode.
    pub(crate) network: N,
    pub(crate) seconds: f64,
    pub(crate) metrics: BTreeMap<String, f64>,
}

/// Trains from the newest checkpoint of the run folder, or else from the start.
pub(crate) fn train<T: Task>(plan: &Plan, task: &T, network: T::Network) -> Result<Trained<T::Network>, Error> {
    let (mut training, mut network) = Training::start(plan, task, network)?;
    let Recipe { seed, batch_size, steps, workers, prefetch, .. } = *plan.recipe;
    let augment = plan.recipe.augment;
    let first_step = training.state.step;
    let config = LoaderConfig { batch_size, seed, first_step, last_step: steps, augment, workers, prefetch };
    let mut loader = Loader::new(plan.dataset.clone(), plan.indices.clone(), config)?;
    while training.state.step < steps {
        let asked = Instant::now();
        let Some(batch) = loader.next() else {
            let what = format!("the loader ended at step {} of {steps}", training.state.step);
            return Err(Error::Internal { what });
        };
        let batch = batch?;
        training.waited += asked.elapsed().as_secs_f64();
        network = training.step(network, batch)?;
        training.after_step(&network)?;
    }
    training.finish(&network)
}

/// A loop between two steps.
struct Training<'a, T: Task> {
    plan: &'a Plan<'a>,
    task: &'a T,
    optimiser: ModuleOptimizer,
    schedule: Schedule,
    state: State,
    metrics: Metrics,
    /// Where the recipe asks for them.
    events: Option<Events>,
    progress: Progress,
    /// When the last addition to `state.seconds` was made.
    clock: Instant,
    /// Seconds that training waited for data since the last line of metrics.
    waited: f64,
    /// Start of the last line of metrics: seconds and step.
    logged: (f64, u64),
}

impl<'a, T: Task> Training<'a, T> {
    fn start(plan: &'a Plan<'a>, task: &'a T, network: T::Network) -> Result<(Self, T::Network), Error> {
        let Recipe { lr, warmup_steps, steps, momentum, weight_decay, .. } = *plan.recipe;
        let (network, optimiser, state) = match checkpoint::latest(&plan.folder.file(CHECKPOINTS_FOLDER))? {
            Some(path) => {
                let state = checkpoint::read(&path, &plan.identity)?;
                let (network, optimiser) = checkpoint::load(&path, &state, network)?;
                (network, optimiser, State { recipe: plan.recipe.clone(), ..state })
            }
            None => {
                let network = number_by_place(network);
                let optimiser = optimiser::new(&network, momentum, weight_decay);
                (network, optimiser, plan.identity.clone())
            }
        };
        let metrics = Metrics::open(&plan.folder.file(METRICS_FILE), state.step)?;
        let events = match plan.recipe.tensorboard {
            true => Some(Events::open(plan.folder.path(), plan.started_unix_s, metrics.lines())?),
            false => None,
        };
        let progress = Progress::new(plan.recipe, state.step, task.chance(), plan.quiet);
        let training = Self {
            plan,
            task,
            optimiser,
            schedule: Schedule { peak: lr, warmup_steps, steps },
            logged: (state.seconds, state.step),
            state,
            metrics,
            events,
            progress,
            clock: Instant::now(),
            waited: 0.0,
        };
        Ok((training, network))
    }

    /// One step of gradient descent.
    fn step(&mut self, network: T::Network, mut batch: Batch) -> Result<T::Network, Error> {
        let Plan { recipe, device, dataset, .. } = self.plan;
        let step = self.state.step;
        let shape = [batch.labels.len(), dataset.channels, dataset.height, dataset.width];
        let images = Tensor::from_data(TensorData::new(std::mem::take(&mut batch.images), shape), device);
        let seed = seeds::number(recipe.seed, Purpose::Dropout, step);
        let scores = seeded(device, seed, || self.task.score(&network, images, &batch));
        let loss = scores.loss.clone().inner();
        let mut gradients = GradientsParams::from_grads(scores.loss.backward(), &network);
        let norm = gradients::global_norm(&network, &gradients).unwrap_or_else(|| loss.zeros_like());
        if recipe.clip_norm > 0.0 {
            gradients = gradients::clip(&network, gradients, &norm, recipe.clip_norm);
        }
        // One read, and so one wait for the device, a step.
        let numbers = numbers(vec![loss, scores.accuracy.inner(), norm])?;
        let [loss, accuracy, gradient_norm] = numbers[..] else {
            return Err(Error::Internal { what: format!("loss, accuracy and norm are {numbers:?}") });
        };
        for (what, value) in [("loss", loss), ("norm of the gradients", gradient_norm)] {
            if !value.is_finite() {
                return Err(Error::NotFinite { step: step + 1, what, value });
            }
        }
        let network = self.optimiser.step(self.schedule.learning_rate(step), network, gradients);
        self.state.step += 1;
        let window = &mut self.state.window;
        window.steps += 1;
        window.loss += loss;
        window.accuracy += accuracy;
        window.gradient_norm += gradient_norm;
        self.tick();
        Ok(network)
    }

    /// Metrics, evaluation and checkpoint, where the step asks for them.
    fn after_step(&mut self, network: &T::Network) -> Result<(), Error> {
        let recipe = self.plan.recipe;
        let (step, last) = (self.state.step, self.state.step == recipe.steps);
        let due = |every: u64| every > 0 && step.is_multiple_of(every);
        self.progress.show(step, &self.state.window);
        if due(recipe.log_every) || last {
            self.log()?;
        }
        if due(recipe.evaluate_every) || last {
            let values = self.task.evaluate(&network.valid())?;
            self.progress.say(&format!("step {step}: test {}", crate::progress::table(&values)));
            self.record(Line { step, split: Split::Test, values })?;
            self.tick();
        }
        if due(recipe.checkpoint_every) && !last {
            let folder = self.plan.folder.file(CHECKPOINTS_FOLDER);
            checkpoint::save(&folder, self.state.clone(), network, &self.optimiser)?;
            self.draw()?;
            self.tick();
        }
        Ok(())
    }

    fn log(&mut self) -> Result<(), Error> {
        let Window { steps, loss, accuracy, gradient_norm } = std::mem::take(&mut self.state.window);
        let count = steps.max(1) as f64;
        let (seconds, step) = (self.state.seconds, self.state.step);
        let elapsed = (seconds - self.logged.0).max(f64::MIN_POSITIVE);
        let images = (step - self.logged.1) as f64 * self.plan.recipe.batch_size as f64;
        let values = [
            ("loss", loss / count),
            ("accuracy", accuracy / count),
            ("gradient_norm", gradient_norm / count),
            ("lr", self.schedule.learning_rate(step.saturating_sub(1))),
            ("images_per_second", images / elapsed),
            ("data_wait", (self.waited / elapsed).min(1.0)),
            ("seconds", seconds),
        ];
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.record(Line { step, split: Split::Train, values })?;
        self.logged = (seconds, step);
        self.waited = 0.0;
        Ok(())
    }

    fn record(&mut self, line: Line) -> Result<(), Error> {
        if let Some(events) = &mut self.events {
            events.push(&line)?;
        }
        self.metrics.push(line)
    }

    fn draw(&self) -> Result<(), Error> {
        plot::draw(&self.plan.folder.file(CURVES_FILE), self.plan.recipe, self.metrics.lines(), self.task.chance())
    }

    fn tick(&mut self) {
        let now = Instant::now();
        self.state.seconds += now.duration_since(self.clock).as_secs_f64();
        self.clock = now;
    }

    fn finish(self, network: &T::Network) -> Result<Trained<T::Network>, Error> {
        let Recipe { steps, batch_size, .. } = *self.plan.recipe;
        self.draw()?;
        self.progress.finish();
        let mut metrics = self.metrics.last();
        for timing in ["seconds", "images_per_second", "data_wait", "lr", "gradient_norm"] {
            metrics.remove(timing);
        }
        let chance = self.task.chance();
        metrics.insert("chance_accuracy".into(), chance.accuracy);
        metrics.insert("chance_loss".into(), chance.loss);
        let seconds = self.state.seconds;
        metrics.insert("images_per_second".into(), (steps * batch_size as u64) as f64 / seconds.max(f64::MIN_POSITIVE));
        Ok(Trained { network: network.valid(), seconds, metrics })
    }
}

/// Reads tensors of one number each with one wait for the device.
pub(crate) fn numbers(tensors: Vec<Tensor<1>>) -> Result<Vec<f64>, Error> {
    let all: Vec<f32> = Tensor::cat(tensors, 0)
        .try_into_vec_as()
        .map_err(|error| Error::Device { what: "numbers of a step", reason: format!("{error:?}") })?;
    Ok(all.into_iter().map(f64::from).collect())
}
