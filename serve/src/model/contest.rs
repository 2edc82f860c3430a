//! Which of several runtimes serves a model: the one that is fastest on it, here and now, whose golden samples hold.

use super::Model;
use crate::Error;
use crate::runtime::{Candidate, refused};
use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

/// Images of the larger batch that is timed; the smaller one is a single image.
const LARGE: usize = 8;
/// Most runs of each runtime at each batch.
const RUNS: usize = 5;
/// Longest time of all runs together. Only the first run of each runtime, at the smaller batch, is not asked how long it takes.
const BUDGET: Duration = Duration::from_millis(500);

/// Starts the model on every candidate, times them in turn, and gives the fastest whose golden samples hold. The log says which, and why.
///
/// # Errors
/// Why the only candidate refuses the model, or why all of them do.
pub(super) fn winner(
    candidates: &[Candidate],
    start: impl Fn(&Candidate) -> Result<Model, Error>,
) -> Result<Model, Error> {
    let (mut contenders, mut refusals) = (Vec::new(), Vec::new());
    for candidate in candidates {
        match start(candidate) {
            Ok(model) => contenders.push(model),
            Err(error) => refusals.push(error),
        }
    }
    let (ranked, times) = if contenders.len() > 1 { rank(contenders, &mut refusals) } else { (contenders, None) };
    for model in ranked {
        match model.prove() {
            Ok(mut model) => {
                for refusal in &refusals {
                    tracing::warn!("{refusal}; {} serves instead", model.choice.runtime);
                }
                let reason = &mut model.choice.reason;
                for more in times.into_iter().chain(refusals.iter().map(Error::to_string)) {
                    reason.push_str("; ");
                    reason.push_str(&more);
                }
                let (path, choice) = (model.file.path.display(), &model.choice);
                tracing::info!("{path}: {} on {} runs it: {}", choice.runtime, choice.device, choice.reason);
                return Ok(model);
            }
            Err(error) => refusals.push(error),
        }
    }
    Err(refused(refusals))
}

/// The models from the fastest to the slowest, and their times in words. One that fails meanwhile is refused.
fn rank(models: Vec<Model>, refusals: &mut Vec<Error>) -> (Vec<Model>, Option<String>) {
    let largest = models.iter().filter_map(Model::largest_batch).min().unwrap_or(LARGE).min(LARGE);
    let sizes = if largest > 1 { vec![1, largest] } else { vec![1] };
    let inputs: Vec<Vec<f32>> = sizes.iter().map(|size| vec![0.0; size * models[0].preprocessor.item_len()]).collect();
    let times = race(models.len(), &sizes, |contender, index| {
        let start = Instant::now();
        models[contender].run_values(sizes[index], &inputs[index])?;
        Ok(start.elapsed())
    });
    let mut ranked = Vec::new();
    for (model, times) in models.into_iter().zip(times) {
        match times {
            Ok(times) => ranked.push((model, times)),
            Err(reason) => {
                let (path, runtime) = (model.file.path.clone(), model.choice.runtime);
                refusals.push(Error::Load { path, runtime, reason });
            }
        }
    }
    ranked.sort_by(|(_, one), (_, other)| one.score().total_cmp(&other.score()));
    let told: Vec<String> =
        ranked.iter().map(|(model, times)| format!("{} takes {times}", model.choice.runtime)).collect();
    let told = format!("measured on this model: {}", told.join(", "));
    (ranked.into_iter().map(|(model, _)| model).collect(), Some(told))
}

/// Times the contenders in turn, at each of the batch sizes, within [`BUDGET`]. `run` gets the numbers of the contender and of
/// the size.
fn race(
    contenders: usize,
    sizes: &[usize],
    mut run: impl FnMut(usize, usize) -> Result<Duration, String>,
) -> Vec<Result<Times, String>> {
    let mut results = vec![Ok(Times::default()); contenders];
    let mut spent = Duration::ZERO;
    for round in 0..RUNS {
        for (index, &size) in sizes.iter().enumerate() {
            let expected: Duration = results.iter().flatten().map(|times| times.expected(size)).sum();
            if (round, index) != (0, 0) && spent + expected > BUDGET {
                continue;
            }
            for (contender, result) in results.iter_mut().enumerate() {
                let Ok(times) = result else { continue };
                match run(contender, index) {
                    Ok(took) => {
                        spent += took;
                        times.0.entry(size).or_default().push(took);
                    }
                    Err(reason) => *result = Err(format!("a batch of {size} fails: {reason}")),
                }
            }
        }
    }
    results
}

/// How long a contender took, by batch size.
#[derive(Clone, Debug, Default, PartialEq)]
struct Times(BTreeMap<usize, Vec<Duration>>);

impl Times {
    /// How long the next run will take: as long as the last one, or in proportion to one of a smaller size.
    fn expected(&self, size: usize) -> Duration {
        let known = self.0.range(..=size).next_back();
        let scaled = |(known, times): (&usize, &Vec<Duration>)| {
            let last = times.last().copied().unwrap_or_default();
            last.mul_f64(size as f64 / *known as f64)
        };
        known.map(scaled).unwrap_or_default()
    }

    fn medians(&self) -> impl Iterator<Item = (usize, Duration)> {
        self.0.iter().map(|(size, times)| {
            let mut times = times.clone();
            times.sort();
            (*size, times[times.len() / 2])
        })
    }

    /// What is smaller for the faster one: every batch size counts the same.
    fn score(&self) -> f64 {
        self.medians().map(|(_, median)| median.as_secs_f64().ln()).sum()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let median = |(size, median): (usize, Duration)| {
            let images = if size == 1 { "image" } else { "images" };
            format!("{:.2} ms for {size} {images}", median.as_secs_f64() * 1e3)
        };
        formatter.write_str(&self.medians().map(median).collect::<Vec<_>>().join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [usize; 2] = [1, 8];

    /// A race of contenders that always take these microseconds at each size, and the order in which they ran.
    fn run(took_us: &[[u64; 2]]) -> (Vec<Times>, Vec<(usize, usize)>) {
        let mut order = Vec::new();
        let times = race(took_us.len(), &SIZES, |contender, size| {
            order.push((contender, size));
            Ok(Duration::from_micros(took_us[contender][size]))
        });
        (times.into_iter().map(Result::unwrap).collect(), order)
    }

    #[test]
    fn contenders_run_in_turn_and_the_faster_scores_lower() {
        let (times, order) = run(&[[1000, 9000], [2000, 2000]]);
        assert_eq!(order[..4], [(0, 0), (1, 0), (0, 1), (1, 1)]);
        assert_eq!(order.len(), 2 * 2 * RUNS);
        assert!(times[1].score() < times[0].score(), "{times:?}");
        assert_eq!(times[0].to_string(), "1.00 ms for 1 image and 9.00 ms for 8 images");
    }

    #[test]
    fn slow_models_are_measured_less() {
        let spent = |took_us: &[[u64; 2]]| {
            let (times, _) = run(took_us);
            times.iter().flat_map(|times| times.0.values().flatten()).sum::<Duration>()
        };
        assert!(spent(&[[20_000, 160_000], [10_000, 80_000]]) <= BUDGET);
        let (times, order) = run(&[[400_000, 3_000_000], [300_000, 2_000_000]]);
        assert_eq!(order, [(0, 0), (1, 0)], "one image each is all that there is time for");
        assert_eq!(times[1].to_string(), "300.00 ms for 1 image");
    }

    #[test]
    fn one_slow_run_changes_nothing() {
        let mut runs = 0;
        let times = race(1, &[1], |_, _| {
            runs += 1;
            Ok(Duration::from_micros(if runs == 2 { 90_000 } else { 1000 }))
        });
        assert_eq!(times[0].as_ref().unwrap().to_string(), "1.00 ms for 1 image");
    }

    #[test]
    fn a_contender_that_fails_is_out() {
        let times = race(2, &SIZES, |contender, size| match (contender, size) {
            (0, 1) => Err("no".into()),
            _ => Ok(Duration::from_millis(1)),
        });
        assert_eq!(times[0], Err("a batch of 8 fails: no".into()));
        assert_eq!(times[1].as_ref().unwrap().0[&8].len(), RUNS);
    }
}
