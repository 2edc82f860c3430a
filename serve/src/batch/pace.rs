//! How long batches take, for an honest `Retry-After` and for refusing at once what would be late.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What one more batch leaves of the weight of those before it.
const MEMORY: f64 = 0.9;

/// Learns `time(n) = fixed + each * n` from the batches that ran, recent ones counting more.
#[derive(Default)]
pub struct Pace {
    sums: Mutex<Sums>,
    departures: Mutex<Departures>,
}

/// How fast items leave the queue while others stay, whatever holds them up. Weighted sums, times in seconds.
#[derive(Default)]
struct Departures {
    /// When some left last, if others stayed.
    last: Option<Instant>,
    items: f64,
    time: f64,
}

/// Weighted sums of a linear regression, times in seconds.
#[derive(Clone, Copy, Default)]
struct Sums {
    weight: f64,
    items: f64,
    time: f64,
    items_items: f64,
    items_time: f64,
}

impl Pace {
    /// Learns from one batch.
    pub fn learn(&self, items: usize, took: Duration) {
        let (items, time) = (items as f64, took.as_secs_f64());
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        *sums = Sums {
            weight: MEMORY * sums.weight + 1.0,
            items: MEMORY * sums.items + items,
            time: MEMORY * sums.time + time,
            items_items: MEMORY * sums.items_items + items * items,
            items_time: MEMORY * sums.items_time + items * time,
        };
    }

    /// Time until `items` have run in batches of `max_batch_size`; nothing while no batch has been seen.
    pub fn drain(&self, items: usize, max_batch_size: usize) -> Duration {
        let (fixed, each) = self.sums.lock().unwrap_or_else(PoisonError::into_inner).line();
        let batches = items.div_ceil(max_batch_size) as f64;
        Duration::try_from_secs_f64(fixed * batches + each * items as f64).unwrap_or(Duration::MAX)
    }

    /// Learns that `items` have left the queue at `now`, and whether others stay in it.
    pub fn departed(&self, items: usize, now: Instant, others_stay: bool) {
        if items == 0 {
            return;
        }
        let mut departures = self.departures.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = departures.last {
            departures.items = MEMORY * departures.items + items as f64;
            departures.time = MEMORY * departures.time + now.saturating_duration_since(last).as_secs_f64();
        }
        departures.last = others_stay.then_some(now);
    }

    /// Time until `items` have left the queue as fast as others did of late; nothing while none has been seen.
    pub fn leave(&self, items: usize) -> Duration {
        let departures = self.departures.lock().unwrap_or_else(PoisonError::into_inner);
        let each = if departures.items > 0.0 { departures.time / departures.items } else { 0.0 };
        Duration::try_from_secs_f64(each * items as f64).unwrap_or(Duration::MAX)
    }
}

impl Sums {
    /// The fixed time of a batch and the time of each item. Batches of one size cannot tell the two apart; then all is each
    /// item's.
    fn line(&self) -> (f64, f64) {
        if self.weight == 0.0 {
            return (0.0, 0.0);
        }
        let (items, time) = (self.items / self.weight, self.time / self.weight);
        let variance = self.items_items / self.weight - items * items;
        let covariance = self.items_time / self.weight - items * time;
        let proportional = time / items;
        let each = if variance > 1e-6 * items * items { covariance / variance } else { proportional };
        let each = each.clamp(0.0, proportional);
        (time - each * items, each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: Duration, expected_ms: f64) {
        let found = found.as_secs_f64() * 1e3;
        assert!((found - expected_ms).abs() <= 0.01 * expected_ms, "{found} ms is not {expected_ms} ms");
    }

    #[test]
    fn fixed_and_linear_time_are_told_apart() {
        let pace = Pace::default();
        assert_eq!(pace.drain(9, 4), Duration::ZERO, "nothing is known yet");
        for items in [1, 8, 3, 8, 2] {
            pace.learn(items, Duration::from_millis(10 + 2 * items as u64));
        }
        near(pace.drain(8, 8), 26.0);
        near(pace.drain(20, 8), 3.0 * 10.0 + 20.0 * 2.0);
    }

    #[test]
    fn batches_of_one_size_are_taken_as_proportional() {
        let pace = Pace::default();
        (0..5).for_each(|_| pace.learn(4, Duration::from_millis(40)));
        near(pace.drain(1, 4), 10.0);
        near(pace.drain(12, 4), 120.0);
    }

    #[test]
    fn what_leaves_while_others_stay_says_how_fast_the_queue_is() {
        let (pace, start) = (Pace::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        pace.departed(1, at(0), false);
        assert_eq!(pace.leave(9), Duration::ZERO, "nothing stayed");
        // Between the second and the third nothing waited.
        for (ms, items, others_stay) in [(5000, 2, true), (5200, 2, false), (9000, 1, true), (9100, 1, true)] {
            pace.departed(items, at(ms), others_stay);
        }
        near(pace.leave(10), 1000.0);
    }

    #[test]
    fn what_is_recent_counts_more() {
        let pace = Pace::default();
        (0..50).for_each(|_| pace.learn(1, Duration::from_millis(5)));
        (0..50).for_each(|_| pace.learn(1, Duration::from_millis(50)));
        near(pace.drain(1, 1), 50.0);
    }
}
