//! Training steps that are measured beside PyTorch's: the same network, batch, optimiser and threads, in turns in one run.

pub mod parity;
mod peer;
mod step;

pub use step::{SUBJECTS, Subject};

use crate::Error;
use indicatif::{ProgressBar, ProgressStyle};
use peer::Peer;
use std::path::Path;
use step::Step;

/// Seconds of a step of one subject.
#[derive(Clone, Debug)]
pub struct Measured {
    /// What was measured.
    pub subject: &'static Subject,
    /// Ours, step by step.
    pub ours: Vec<f64>,
    /// PyTorch's, step by step; empty without one.
    pub torch: Vec<f64>,
}

impl Measured {
    /// Median seconds of our step.
    pub fn median(&self) -> f64 {
        median(&self.ours)
    }

    /// Median seconds of PyTorch's step, if there was one.
    pub fn torch_median(&self) -> Option<f64> {
        (!self.torch.is_empty()).then(|| median(&self.torch))
    }
}

/// Measures every subject: a step of ours and one of PyTorch's in turn, `rounds` times after one that does not count.
///
/// `python` is a Python that can import torch; without one only our steps are measured.
///
/// # Errors
/// [`Error::Peer`] when Python or PyTorch fails.
pub fn run(python: Option<&Path>, rounds: usize) -> Result<Vec<Measured>, Error> {
    let mut peer = python.map(Peer::start).transpose()?;
    let bar = ProgressBar::new((rounds * SUBJECTS.len()) as u64);
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} steps, {msg}, {eta} left") {
        bar.set_style(style);
    }
    let mut all = Vec::with_capacity(SUBJECTS.len());
    for subject in &SUBJECTS {
        bar.set_message(subject.name);
        let mut step = Step::new(subject);
        let (mut ours, mut torch) = (Vec::new(), Vec::new());
        for round in 0..=rounds {
            let (own, other) = (step.run()?, peer.as_mut().map(|peer| peer.step(subject)).transpose()?);
            if round > 0 {
                ours.push(own);
                torch.extend(other);
                bar.inc(1);
            }
        }
        all.push(Measured { subject, ours, torch });
    }
    bar.finish_and_clear();
    Ok(all)
}

/// The middle of some numbers.
fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => f64::NAN,
        len if len.is_multiple_of(2) => (sorted[middle - 1] + sorted[middle]) / 2.0,
        _ => sorted[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!([median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0])], [2.0, 2.5]);
        assert!(median(&[]).is_nan());
    }
}
