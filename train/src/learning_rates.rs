//! The range of learning rates that train: steps whose rate rises until training diverges.

use crate::engine::{Stepped, Task};
use crate::session::Prepared;
use crate::trial::Trial;
use crate::{Error, Stage, plot};
use std::path::Path;

/// Steps of a search.
const STEPS: u64 = 100;
/// First and last learning rate; between them it rises by the same factor every step.
const RANGE: [f64; 2] = [1e-6, 10.0];
/// Share of the old value in the mean of the loss that forgets slowly.
const KEEP: f64 = 0.9;
/// The search ends when the mean loss is this many times the least one.
const DIVERGED: f64 = 4.0;
/// Steps at the beginning in which the mean has seen too little to tell its slope.
const UNCERTAIN: usize = 10;

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct LearningRates {
    /// Pretraining or fine-tuning.
    pub stage: Stage,
    /// Learning rates and the mean losses after a step with them, until training diverged.
    pub points: Vec<(f64, f64)>,
    /// Where the loss falls the fastest, if it falls at all.
    pub steepest: Option<f64>,
    /// A tenth of the rate with the least loss, if the loss falls at all.
    pub tenth_of_least: Option<f64>,
}

/// Searches, and draws what it found.
///
/// # Source
/// Smith 2015, "Cyclical learning rates", section 3.3, with an exponential ramp; the two suggestions are those of fastai's
/// `lr_find`.
pub(crate) fn find<T: Task>(prepared: &Prepared<'_, T>, path: &Path) -> Result<LearningRates, Error> {
    let mut trial = Trial::new(prepared, STEPS)?;
    let (mut points, mut mean) = (Vec::new(), Mean::default());
    for step in 0..STEPS {
        let rate = rate(step);
        match trial.step(rate) {
            Ok(Some(Stepped { loss, .. })) => points.push((rate, mean.add(loss))),
            Ok(None) | Err(Error::NotFinite { .. }) => break,
            Err(error) => return Err(error),
        }
        let least = points.iter().map(|(_, loss)| *loss).fold(f64::INFINITY, f64::min);
        if points.last().is_some_and(|(_, loss)| *loss > DIVERGED * least) {
            break;
        }
    }
    let (steepest, tenth_of_least) = (steepest(&points), tenth_of_least(&points));
    let recipe = &prepared.session.recipe;
    plot::draw_learning_rates(path, recipe, &points, steepest)?;
    Ok(LearningRates { stage: recipe.stage, points, steepest, tenth_of_least })
}

/// The learning rate of a step.
fn rate(step: u64) -> f64 {
    let [first, last] = RANGE;
    first * (last / first).powf(step as f64 / (STEPS - 1) as f64)
}

/// A mean that forgets slowly, without the pull of its start at 0.
#[derive(Default)]
struct Mean {
    sum: f64,
    weight: f64,
}

impl Mean {
    fn add(&mut self, value: f64) -> f64 {
        self.sum = KEEP * self.sum + (1.0 - KEEP) * value;
        self.weight = KEEP * self.weight + (1.0 - KEEP);
        self.sum / self.weight
    }
}

/// The rate at which the loss falls the fastest over the logarithm of the rate, before it is least.
fn steepest(points: &[(f64, f64)]) -> Option<f64> {
    let slope = |pair: &[(f64, f64)]| (pair[1].1 - pair[0].1) / (pair[1].0 / pair[0].0).ln();
    let falling = points.get(UNCERTAIN..=least(points)?)?.windows(2).filter(|pair| slope(pair) < 0.0);
    falling.min_by(|a, b| slope(a).total_cmp(&slope(b))).map(|pair| pair[0].0)
}

fn tenth_of_least(points: &[(f64, f64)]) -> Option<f64> {
    Some(points[least(points)?].0 / 10.0)
}

/// The place of the least loss, where the loss fell to it.
fn least(points: &[(f64, f64)]) -> Option<usize> {
    let certain = points.iter().enumerate().skip(UNCERTAIN);
    let (place, _) = certain.min_by(|a, b| a.1.1.total_cmp(&b.1.1))?;
    (place > UNCERTAIN).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_rise_from_the_first_to_the_last_by_one_factor() {
        assert_eq!(rate(0), 1e-6);
        assert!((rate(STEPS - 1) - 10.0).abs() < 1e-9);
        let factor = rate(1) / rate(0);
        assert!((1..STEPS - 1).all(|step| (rate(step + 1) / rate(step) / factor - 1.0).abs() < 1e-9));
    }

    #[test]
    fn the_steepest_fall_is_suggested_and_the_rise_after_it_is_not() {
        // A loss that falls around step 60 and rises after step 80.
        let loss = |step: u64| {
            2.0 - 1.0 / (1.0 + (-(step as f64 - 60.0) / 5.0).exp()) + if step > 80 { (step - 80) as f64 } else { 0.0 }
        };
        let points: Vec<(f64, f64)> = (0..95).map(|step| (rate(step), loss(step))).collect();
        let found = steepest(&points).unwrap();
        assert!((rate(57)..rate(62)).contains(&found), "{found}");
        assert_eq!(tenth_of_least(&points), Some(rate(80) / 10.0));
    }

    #[test]
    fn a_loss_that_only_rises_suggests_nothing() {
        let points: Vec<(f64, f64)> = (0..50).map(|step| (rate(step), step as f64)).collect();
        assert_eq!((steepest(&points), tenth_of_least(&points)), (None, None));
        assert_eq!((steepest(&points[..5]), tenth_of_least(&[])), (None, None));
    }

    #[test]
    fn the_mean_of_equal_values_is_that_value_from_the_start() {
        let mut mean = Mean::default();
        assert!((0..5).all(|_| (mean.add(3.0) - 3.0).abs() < 1e-12));
    }
}
