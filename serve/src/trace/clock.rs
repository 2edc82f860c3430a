//! Moments as the collector wants them.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// One moment by both clocks. All spans of a trace are reckoned from the same, so that they fit together even when somebody sets
/// the system's clock.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    instant: Instant,
    unix_ns: u64,
}

impl Clock {
    /// The moment that it is now.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { instant: Instant::now(), unix_ns: since.as_nanos() as u64 }
    }

    /// Nanoseconds from 1970 to the moment.
    pub fn unix_ns(&self, moment: Instant) -> u64 {
        let later = moment.saturating_duration_since(self.instant).as_nanos() as u64;
        let earlier = self.instant.saturating_duration_since(moment).as_nanos() as u64;
        self.unix_ns + later - earlier
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn moments_before_and_after_keep_their_distance() {
        let clock = Clock::now();
        let at = |ms: u64| clock.unix_ns(clock.instant + Duration::from_millis(ms));
        assert_eq!(at(7) - at(2), 5_000_000);
        let before = clock.instant.checked_sub(Duration::from_millis(3)).unwrap();
        assert_eq!(at(0) - clock.unix_ns(before), 3_000_000);
    }
}
