//! How fast a request body has to come.

use crate::Error;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// The slowest rate of a whole body, once twice the time is over in which nothing may come.
const SLOWEST_BYTES_PER_S: u64 = 8 << 10;

/// What has come of a body, and how long that was waited for.
pub struct Pace {
    limit_ms: u64,
    received: u64,
    waited: Duration,
}

impl Pace {
    /// For a body that begins. `limit_ms` is the longest time in which nothing of it comes; 0 sets no limit.
    pub fn new(limit_ms: u64) -> Self {
        Self { limit_ms, received: 0, waited: Duration::ZERO }
    }

    /// Counts bytes that have come.
    pub fn add(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }

    /// The next part of the body, if it comes in time.
    ///
    /// # Errors
    /// [`Error::BodyStalled`], [`Error::BodySlow`].
    pub async fn wait<T>(&mut self, part: impl Future<Output = T>) -> Result<T, Error> {
        if self.limit_ms == 0 {
            return Ok(part.await);
        }
        let (limit, left) = (Duration::from_millis(self.limit_ms), self.left());
        let start = Instant::now();
        let part = timeout(left.min(limit), part).await;
        self.waited += start.elapsed();
        part.map_err(|_| match left < limit {
            true => Error::BodySlow { bytes_per_s: SLOWEST_BYTES_PER_S },
            false => Error::BodyStalled { limit_ms: self.limit_ms },
        })
    }

    /// How long a body of the slowest rate may still be waited for.
    fn left(&self) -> Duration {
        let whole_ms = self.limit_ms.saturating_mul(2).saturating_add(self.received * 1000 / SLOWEST_BYTES_PER_S);
        Duration::from_millis(whole_ms).saturating_sub(self.waited)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_buys_time_and_waiting_takes_it() {
        let seconds = Duration::from_secs;
        let cases = [
            (0, seconds(0), seconds(60)),
            (0, seconds(45), seconds(15)),
            (80 << 10, seconds(45), seconds(25)),
            (80 << 10, seconds(71), seconds(0)),
        ];
        for (received, waited, expected) in cases {
            let pace = Pace { limit_ms: 30_000, received, waited };
            assert_eq!(pace.left(), expected, "{received} bytes, {waited:?}");
        }
        assert!(Pace::new(u64::MAX).left() > seconds(1));
    }
}
