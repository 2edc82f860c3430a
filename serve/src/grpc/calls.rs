//! The calls of one connection, to know for how long there has been none.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// The calls of one connection that are in flight.
#[derive(Clone)]
pub struct Calls(Arc<Mutex<State>>);

struct State {
    in_flight: usize,
    /// When the last one ended, or the connection began.
    since: Instant,
}

/// One call in flight, until it is dropped.
pub struct Call(Calls);

impl Calls {
    /// Those of a connection that begins: none.
    pub fn none() -> Self {
        Self(Arc::new(Mutex::new(State { in_flight: 0, since: Instant::now() })))
    }

    /// One more.
    pub fn begin(&self) -> Call {
        self.state().in_flight += 1;
        Call(self.clone())
    }

    /// Waits until there has been none for so long. It looks only when that may be, so that calls cost nothing.
    pub async fn none_for(&self, limit: Duration) {
        loop {
            let left = limit.saturating_sub(self.idle());
            if left.is_zero() {
                return;
            }
            sleep(left).await;
        }
    }

    /// For how long there has been none.
    fn idle(&self) -> Duration {
        let state = self.state();
        if state.in_flight > 0 { Duration::ZERO } else { state.since.elapsed() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_flight -= 1;
        state.since = Instant::now();
    }
}
