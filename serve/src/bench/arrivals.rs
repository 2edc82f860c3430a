//! When requests of an open loop are sent: a Poisson process, as of many clients who do not know each other, or evenly, as of one.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;

/// Times after the start, for `duration`, with `rate` a second on average: the gaps are exponential.
pub fn poisson(rate: f64, duration: Duration, seed: u64) -> Vec<Duration> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut at = 0.0;
    let next = std::iter::from_fn(|| {
        let uniform: f64 = random.random();
        at -= (1.0 - uniform).ln() / rate;
        Duration::try_from_secs_f64(at).ok()
    });
    next.take_while(|at| *at < duration).collect()
}

/// Times after the start, for `duration`, with `rate` a second: all gaps are the same.
pub fn even(rate: f64, duration: Duration) -> Vec<Duration> {
    let at = |index: u32| Duration::try_from_secs_f64(f64::from(index) / rate).unwrap_or(Duration::MAX);
    (0..).map(at).take_while(|at| *at < duration).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_times_have_the_same_gap_and_the_last_is_within() {
        let found = even(4.0, Duration::from_secs(1));
        assert_eq!(found, [0, 250, 500, 750].map(Duration::from_millis));
        assert!(even(0.0, Duration::from_secs(1)).is_empty());
    }

    /// Four standard deviations: a right generator with another seed fails once in 16,000.
    const DEVIATIONS: f64 = 4.0;

    #[test]
    fn the_rate_holds_and_the_gaps_are_exponential() {
        let (rate, seconds) = (200.0, 100.0);
        let arrivals = poisson(rate, Duration::from_secs_f64(seconds), 7);
        let expected = rate * seconds;
        let count = arrivals.len() as f64;
        assert!((count - expected).abs() < DEVIATIONS * expected.sqrt(), "{count} arrivals, expected {expected}");
        assert!(arrivals.is_sorted());
        let gaps: Vec<f64> = arrivals.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect();
        for gap in [0.5 / rate, 1.0 / rate, 3.0 / rate] {
            let longer = gaps.iter().filter(|found| **found > gap).count() as f64 / gaps.len() as f64;
            let share = (-gap * rate).exp();
            let spread = DEVIATIONS * (share * (1.0 - share) / gaps.len() as f64).sqrt();
            assert!((longer - share).abs() < spread, "{longer} of the gaps are longer than {gap} s, expected {share}");
        }
    }

    #[test]
    fn another_seed_gives_other_times() {
        let second = Duration::from_secs(1);
        assert_eq!(poisson(100.0, second, 1), poisson(100.0, second, 1));
        assert_ne!(poisson(100.0, second, 1), poisson(100.0, second, 2));
    }
}
