//! How long batches take, for an honest `Retry-After`, for refusing at once what would be late, and for knowing when a larger batch
//! is worth waiting for.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What one more image or departure leaves of the weight of those before it.
const MEMORY: f64 = 0.9;
/// What one more batch leaves of the weight of those that the line went through: on a busy machine ten of them lie anywhere but on a line.
const LINE_MEMORY: f64 = 0.98;
/// Part of one item's time that is taken for a batch's fixed time while batches of one size have not shown it.
const FIXED: f64 = 0.1;

/// Learns `time(n) = fixed + each * n` from the batches that ran, recent ones counting more.
#[derive(Default)]
pub struct Pace {
    sums: Mutex<Sums>,
    images: Mutex<Mean>,
    departures: Mutex<Departures>,
}

/// A weighted mean of times, in seconds.
#[derive(Default)]
struct Mean {
    weight: f64,
    time: f64,
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
            weight: LINE_MEMORY * sums.weight + 1.0,
            items: LINE_MEMORY * sums.items + items,
            time: LINE_MEMORY * sums.time + time,
            items_items: LINE_MEMORY * sums.items_items + items * items,
            items_time: LINE_MEMORY * sums.items_time + items * time,
        };
    }

    /// Time until `items` have run in batches of `max_batch_size`; nothing while no batch has been seen.
    pub fn drain(&self, items: usize, max_batch_size: usize) -> Duration {
        let (fixed, each) = self.sums.lock().unwrap_or_else(PoisonError::into_inner).line();
        let batches = items.div_ceil(max_batch_size) as f64;
        Duration::try_from_secs_f64(fixed * batches + each * items as f64).unwrap_or(Duration::MAX)
    }

    /// Most items, up to `most`, that run in `time`; none while no batch has been seen.
    pub fn within(&self, time: Duration, most: usize) -> usize {
        let sums = *self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let (fixed, each) = sums.line();
        let fits = |items: usize| sums.weight > 0.0 && fixed + each * items as f64 <= time.as_secs_f64();
        let room = ((time.as_secs_f64() - fixed) / each) as usize;
        if fits(most) { most } else { room.min(most) * usize::from(fits(1)) }
    }

    /// Learns how long an image took to be prepared.
    pub fn prepared(&self, took: Duration) {
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        *images = Mean { weight: MEMORY * images.weight + 1.0, time: MEMORY * images.time + took.as_secs_f64() };
    }

    /// Whether `waiting` items do well to wait for one more of the `coming` that are still to be prepared. A batch less saves its
    /// fixed time for all that come after it; that costs those who wait the time of an image.
    pub fn pays(&self, waiting: usize, coming: usize) -> bool {
        let fixed = self.sums.lock().unwrap_or_else(PoisonError::into_inner).fixed();
        let images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        let image = if images.weight > 0.0 { images.time / images.weight } else { 0.0 };
        fixed * coming as f64 > image * waiting as f64
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
        let covariance = self.items_time / self.weight - items * time;
        let proportional = time / items;
        let each = self.variance().map_or(proportional, |variance| covariance / variance);
        let each = each.clamp(0.0, proportional);
        (time - each * items, each)
    }

    /// The fixed time of a batch, or a guess while nothing has shown it.
    fn fixed(&self) -> f64 {
        match self.variance() {
            Some(_) => self.line().0,
            None if self.weight > 0.0 => FIXED * self.time / self.items,
            None => 0.0,
        }
    }

    /// How far the sizes of batches are from each other, where they are.
    fn variance(&self) -> Option<f64> {
        let items = self.items / self.weight;
        Some(self.items_items / self.weight - items * items).filter(|variance| *variance > 1e-6 * items * items)
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
    fn as_many_items_fit_into_a_time_as_run_in_it() {
        let (pace, ms) = (Pace::default(), Duration::from_millis);
        assert_eq!(pace.within(ms(5), 8), 0, "nothing is known yet");
        [1, 8, 3].into_iter().for_each(|items| pace.learn(items, ms(10 + 2 * items as u64)));
        let fitting = [11, 13, 17, 60].map(|time| pace.within(ms(time), 8));
        assert_eq!(fitting, [0, 1, 3, 8]);
    }

    #[test]
    fn a_larger_batch_is_waited_for_where_it_saves_more_than_it_costs() {
        let (pace, ms) = (Pace::default(), Duration::from_millis);
        assert!(!pace.pays(1, 9), "nothing is known yet");
        pace.prepared(ms(5));
        [4, 4].into_iter().for_each(|items| pace.learn(items, ms(20)));
        // A tenth of one item's time, 0.5 ms, while nothing better is known.
        assert_eq!([1, 10, 11, 60].map(|coming| pace.pays(1, coming)), [false, false, true, true]);
        [1, 8, 3].into_iter().for_each(|items| pace.learn(items, ms(10 + 2 * items as u64)));
        let near = (6..=12).find(|coming| pace.pays(4, *coming));
        assert!(near.is_some(), "some 10 ms for each that comes, against 20");
        assert!(!pace.pays(1, 0) && !pace.pays(40, 4));
    }

    #[test]
    fn what_is_recent_counts_more() {
        let pace = Pace::default();
        (0..300).for_each(|_| pace.learn(1, Duration::from_millis(5)));
        (0..300).for_each(|_| pace.learn(1, Duration::from_millis(50)));
        near(pace.drain(1, 1), 50.0);
    }
}
