//! A loop between two steps: where it starts, what it writes, when it ends.

use super::descent::{Descent, Stepped};
use super::{Plan, Task, unwritten};
use crate::average::Average;
use crate::best::Best;
use crate::checkpoint::{self, Loaded, State, Window};
use crate::data::{Batch, Split as Images};
use crate::layers::freeze;
use crate::parameters::number_by_place;
use crate::progress::{Progress, table};
use crate::run::metrics::{Line, Metrics, Split};
use crate::run::{CHECKPOINTS_FOLDER, CURVES_FILE, METRICS_FILE};
use crate::schedule::Schedule;
use crate::signals;
use crate::tensorboard::Events;
use crate::{Error, Recipe, plot};
use burn::module::Module;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

pub(super) struct Training<'a, T: Task> {
    pub(super) plan: &'a Plan<'a>,
    pub(super) descent: Descent<'a, T>,
    pub(super) schedule: Schedule,
    pub(super) state: State,
    pub(super) metrics: Metrics,
    /// Where the recipe asks for them.
    events: Option<Events>,
    pub(super) progress: Progress,
    /// When the last addition to `state.seconds` was made.
    clock: Instant,
    /// Seconds that training waited for data since the last line of metrics.
    pub(super) waited: f64,
    /// Start of the last line of metrics: seconds and step.
    logged: (f64, u64),
}

impl<'a, T: Task> Training<'a, T> {
    pub(super) fn start(plan: &'a Plan<'a>, task: &'a T, network: T::Network) -> Result<(Self, T::Network), Error> {
        let Recipe { lr, warmup_steps, steps, .. } = *plan.recipe;
        let Plan { recipe, devices, dataset, .. } = plan;
        let checkpoints = plan.folder.file(CHECKPOINTS_FOLDER);
        let (network, mut descent, state) = match checkpoint::latest(&checkpoints)? {
            Some(path) => {
                let state = checkpoint::read(&path, &plan.identity, plan.changed)?;
                let state = State { recipe: plan.recipe.clone(), ..state };
                let Loaded { network, optimiser, average } = checkpoint::load(&path, &state, network)?;
                let mut descent = Descent::new(recipe, devices, dataset, task, &network);
                (descent.optimiser, descent.average) = (optimiser, average);
                // Going back to a checkpoint may lead behind the best step.
                let best = state.best.filter(|best| checkpoint::best::exists(&checkpoints, best.step));
                (network, descent, State { best, ..state })
            }
            None => {
                let network = number_by_place(network);
                let descent = Descent::new(recipe, devices, dataset, task, &network);
                (network, descent, plan.identity.clone())
            }
        };
        let network = freeze(network, &recipe.freeze);
        descent.average = descent.average.map(|average| average.frozen(&recipe.freeze));
        let metrics = Metrics::open(&plan.folder.file(METRICS_FILE), state.step)?;
        let events = match plan.recipe.tensorboard {
            true => Some(Events::open(plan.folder.path(), plan.started_unix_s, metrics.lines())?),
            false => None,
        };
        let progress = Progress::new(plan.recipe, state.step, task.chance(), plan.quiet);
        let training = Self {
            plan,
            descent,
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

    /// Whether there is a step to do: not all are done, and patience has not run out.
    pub(super) fn goes_on(&self) -> bool {
        let Recipe { steps, patience, .. } = *self.plan.recipe;
        let is_out_of_patience = self.state.best.as_ref().is_some_and(|best| best.evaluations_since >= patience);
        self.state.step < steps && !is_out_of_patience
    }

    /// One step of gradient descent.
    pub(super) fn step(&mut self, network: T::Network, batch: Batch) -> Result<T::Network, Error> {
        let learning_rate = self.schedule.learning_rate(self.state.step);
        let (network, Stepped { loss, accuracy, gradient_norm }) = self.descent.step(network, batch, learning_rate)?;
        self.state.step += 1;
        self.state.course.follow(self.state.step, loss, self.descent.task.chance().loss);
        let window = &mut self.state.window;
        window.steps += 1;
        window.loss += loss;
        window.accuracy += accuracy;
        window.gradient_norm += gradient_norm;
        self.tick();
        Ok(network)
    }

    /// Refuses to go on when the loss is far above where it was.
    pub(super) fn check_course(&self) -> Result<(), Error> {
        let Recipe { warmup_steps, .. } = *self.plan.recipe;
        match self.state.course.lost(self.descent.task.chance().loss) {
            Some((mean, bound)) if self.state.step > warmup_steps => {
                let what = format!(
                    "the running mean of the loss is {mean:.3e}, above ten times the least one or that of knowing nothing ({bound:.3e})"
                );
                Err(self.diverged(self.state.step, what))
            }
            _ => Ok(()),
        }
    }

    /// Metrics, evaluation and checkpoint, where the step asks for them.
    pub(super) fn after_step(&mut self, network: &T::Network) -> Result<(), Error> {
        let recipe = self.plan.recipe;
        let (step, last) = (self.state.step, self.state.step == recipe.steps);
        let due = |every: u64| every > 0 && step.is_multiple_of(every);
        self.progress.show(step, &self.state.window);
        if due(recipe.log_every) || last {
            self.log()?;
        }
        if due(recipe.evaluate_every) || last {
            self.look_for_the_best(network)?;
        }
        if due(recipe.evaluate_every) && !last {
            self.evaluate(&network.valid(), Split::Test, &self.plan.dataset.test)?;
        }
        if due(recipe.checkpoint_every) && !last {
            self.checkpoint(network)?;
            self.draw()?;
        }
        Ok(())
    }

    /// Evaluates on the validation images, where there are any, and keeps the network if it is the best one so far.
    fn look_for_the_best(&mut self, network: &T::Network) -> Result<(), Error> {
        let Some(validation) = &self.plan.validation else { return Ok(()) };
        let network = network.valid();
        let values = self.evaluate(&network, Split::Validation, validation)?;
        let best = Best::after(self.state.best.take(), self.state.step, &values);
        if best.step == self.state.step {
            let average = self.descent.average.as_ref().map(Average::network);
            checkpoint::best::save(&self.checkpoints(), best.step, &network, average)?;
        }
        self.state.best = Some(best);
        self.tick();
        Ok(())
    }

    /// Writes a line of metrics about a network in evaluation mode, and its average, over some images.
    pub(super) fn evaluate(
        &mut self,
        network: &T::Network,
        split: Split,
        images: &Images,
    ) -> Result<BTreeMap<String, f64>, Error> {
        let mut values = self.descent.task.evaluate(network, images)?;
        if let Some(average) = &self.descent.average {
            let of_average = self.descent.task.evaluate(average.network(), images)?;
            values.extend(of_average.into_iter().map(|(name, value)| (format!("ema_{name}"), value)));
        }
        let step = self.state.step;
        if let Some((name, value)) = values.iter().find(|(_, value)| !value.is_finite()) {
            return Err(Error::NotFinite { step, what: format!("{split} {name}"), value: *value });
        }
        self.progress.say(&format!("step {step}: {split} {}", table(&values)));
        self.record(Line { step, split, values: values.clone() })?;
        self.tick();
        Ok(values)
    }

    /// Writes what a later start goes on from.
    pub(super) fn checkpoint(&mut self, network: &T::Network) -> Result<(), Error> {
        checkpoint::save(
            &self.checkpoints(),
            self.state.clone(),
            network,
            &self.descent.optimiser,
            self.descent.average.as_ref(),
        )?;
        self.tick();
        Ok(())
    }

    pub(super) fn checkpoints(&self) -> PathBuf {
        self.plan.folder.file(CHECKPOINTS_FOLDER)
    }

    pub(super) fn log(&mut self) -> Result<(), Error> {
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
        // A start that was killed behind its last step has left it.
        if self.metrics.lines().last() == Some(&line) {
            return Ok(());
        }
        if let Some(events) = &mut self.events {
            events.push(&line)?;
        }
        self.metrics.push(line)
    }

    pub(super) fn draw(&self) -> Result<(), Error> {
        plot::draw(
            &self.plan.folder.file(CURVES_FILE),
            self.plan.recipe,
            self.metrics.lines(),
            self.descent.task.chance(),
        )
    }

    pub(super) fn tick(&mut self) {
        let now = Instant::now();
        self.state.seconds += now.duration_since(self.clock).as_secs_f64();
        self.clock = now;
    }

    /// Says at which step a file could not be written, and what a later start can go on from.
    pub(super) fn unwritten(&self, error: Error) -> Error {
        unwritten(error, self.plan.folder, self.state.step)
    }

    /// What a run ends with that has gone astray at a step; the checkpoints since then are removed.
    pub(super) fn diverged(&self, step: u64, what: String) -> Error {
        self.progress.finish();
        match checkpoint::go_back(&self.checkpoints(), &self.state.course) {
            Ok(last) => Error::Diverged { step, what, last, is_clipped: self.plan.recipe.clip_norm > 0.0 },
            Err(error) => error,
        }
    }

    /// What a run ends with when a signal asks for it.
    pub(super) fn interrupted(&self, signal: i32) -> Error {
        self.progress.finish();
        let Plan { recipe, folder, .. } = self.plan;
        let (step, steps) = (self.state.step, recipe.steps);
        Error::Interrupted { signal, name: signals::name(signal), step, steps, path: folder.path().to_owned() }
    }
}
