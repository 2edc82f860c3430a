//! Progress of a run: a bar on a terminal, a line now and then in a pipe.

use crate::checkpoint::Window;
use crate::engine::Chance;
use crate::sparkline::Sparkline;
use crate::{Recipe, Stage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Time between two lines in a pipe.
const PIPE_INTERVAL: Duration = Duration::from_secs(10);
const TEMPLATE: &str = "{prefix} [{bar:20}] {pos}/{len} {msg}, {eta} left";

/// What the person who waits sees.
#[derive(Debug)]
pub(crate) struct Progress {
    output: Output,
    stage: Stage,
    chance: Chance,
    steps: u64,
    batch_size: usize,
    first_step: u64,
    started: Instant,
    shown: Option<Instant>,
    /// Loss and accuracy, means that forget slowly.
    means: Option<(f64, f64)>,
    /// The mean loss so far.
    curve: Sparkline,
    /// Sums and steps of the window that are in the means already.
    seen: Window,
}

#[derive(Debug)]
enum Output {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

impl Progress {
    pub(crate) fn new(recipe: &Recipe, first_step: u64, chance: Chance, quiet: bool) -> Self {
        let output = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Output::Nothing,
            (false, false) => Output::Lines,
            (false, true) => Output::Bar(bar(recipe, first_step)),
        };
        Self {
            output,
            stage: recipe.stage,
            chance,
            steps: recipe.steps,
            batch_size: recipe.batch_size,
            first_step,
            started: Instant::now(),
            shown: None,
            means: None,
            curve: Sparkline::new(),
            seen: Window::default(),
        }
    }

    /// Shows the state after a step.
    pub(crate) fn show(&mut self, step: u64, window: &Window) {
        let (loss, accuracy) = self.latest(window);
        let keep = if self.means.is_some() { 0.95 } else { 0.0 };
        let (old_loss, old_accuracy) = self.means.unwrap_or_default();
        let means = (keep * old_loss + (1.0 - keep) * loss, keep * old_accuracy + (1.0 - keep) * accuracy);
        self.means = Some(means);
        self.curve.push(means.0);
        let elapsed = self.started.elapsed().as_secs_f64();
        let speed = (step - self.first_step) as f64 * self.batch_size as f64 / elapsed.max(f64::MIN_POSITIVE);
        let text = format!(
            "loss {:.3} (chance {:.3}), accuracy {:.3} (chance {:.3}), {speed:.0} images/s",
            means.0, self.chance.loss, means.1, self.chance.accuracy
        );
        match &self.output {
            Output::Bar(bar) => {
                bar.set_message(format!("{} {text}", self.curve));
                bar.set_position(step);
            }
            Output::Lines => {
                let due = self.shown.is_none_or(|shown| shown.elapsed() >= PIPE_INTERVAL);
                if due || step == self.steps {
                    self.shown = Some(Instant::now());
                    let left = elapsed / (step - self.first_step).max(1) as f64 * (self.steps - step) as f64;
                    eprintln!("{} step {step}/{}: {text}, {left:.0} s left", self.stage, self.steps);
                }
            }
            Output::Nothing => {}
        }
    }

    /// Says something between two steps.
    pub(crate) fn say(&self, text: &str) {
        match &self.output {
            Output::Bar(bar) => bar.println(format!("{} {text}", self.stage)),
            Output::Lines => eprintln!("{} {text}", self.stage),
            Output::Nothing => {}
        }
    }

    pub(crate) fn finish(&self) {
        if let Output::Bar(bar) = &self.output {
            bar.finish();
        }
    }

    /// Loss and accuracy of the step that was just added to the window.
    fn latest(&mut self, window: &Window) -> (f64, f64) {
        if window.steps <= self.seen.steps {
            self.seen = Window::default();
        }
        let steps = (window.steps - self.seen.steps).max(1) as f64;
        let latest = ((window.loss - self.seen.loss) / steps, (window.accuracy - self.seen.accuracy) / steps);
        self.seen = window.clone();
        latest
    }
}

fn bar(recipe: &Recipe, first_step: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(recipe.steps), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
        bar.set_style(style);
    }
    bar.set_prefix(recipe.stage.to_string());
    bar.set_position(first_step);
    bar.reset_eta();
    bar
}

/// Numbers with their names in one line.
pub(crate) fn table(values: &BTreeMap<String, f64>) -> String {
    let pairs: Vec<String> = values.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
    pairs.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_begins_anew_counts_from_zero() {
        let mut progress = Progress::new(&Recipe::default(), 0, Chance::among(4), true);
        let window = |steps: u64, loss: f64| Window { steps, loss, ..Window::default() };
        assert_eq!(progress.latest(&window(1, 2.0)).0, 2.0);
        assert_eq!(progress.latest(&window(2, 3.5)).0, 1.5);
        assert_eq!(progress.latest(&window(1, 0.5)).0, 0.5);
        assert_eq!(progress.latest(&window(1, 0.25)).0, 0.25);
    }
}
