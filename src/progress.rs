//! How far a command is: a bar on a terminal, a line now and then in a pipe.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Time between two lines in a pipe.
const PIPE_INTERVAL: Duration = Duration::from_secs(10);

/// A bar that counts things.
pub struct Bar {
    what: &'static str,
    bar: Option<ProgressBar>,
    started: Instant,
    /// What was done before this run.
    before: Option<usize>,
    shown: Option<Instant>,
}

impl Bar {
    /// A bar for things of this name.
    pub fn new(what: &'static str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("[{bar:30}] {pos}/{len} {msg}, {per_sec}, {eta} left");
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar.with_message(what)
        });
        Self { what, bar, started: Instant::now(), before: None, shown: None }
    }

    /// Shows how much is done.
    pub fn show(&mut self, done: usize, all: usize) {
        let before = *self.before.get_or_insert(done);
        if let Some(bar) = &self.bar {
            if done == before {
                bar.reset_eta();
            }
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        } else if done == all || self.shown.is_none_or(|shown| shown.elapsed() >= PIPE_INTERVAL) {
            self.shown = Some(Instant::now());
            let speed = (done - before) as f64 / self.started.elapsed().as_secs_f64().max(f64::MIN_POSITIVE);
            eprintln!("{done}/{all} {}, {speed:.0} a second", self.what);
        }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
