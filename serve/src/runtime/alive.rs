//! Sessions on GPUs that are still there. A model is let go by the thread that ran it last, maybe after `main`; CUDA is shut down then, and
//! ONNX Runtime ends a process with an error that destroys a session after that.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

static ALIVE: Mutex<usize> = Mutex::new(0);
static GONE: Condvar = Condvar::new();

/// Stands for a session as long as it lives.
pub struct Alive(());

impl Alive {
    /// One more is there.
    pub fn new() -> Self {
        *ALIVE.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        *ALIVE.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        GONE.notify_all();
    }
}

/// Waits at the end of a process until all sessions on GPUs are gone, but no longer than `limit`. Tells whether they are.
pub fn all_gone(limit: Duration) -> bool {
    let alive = ALIVE.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = GONE.wait_timeout_while(alive, limit, |alive| *alive > 0);
    *waited.unwrap_or_else(PoisonError::into_inner).0 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn the_end_waits_for_what_another_thread_lets_go_but_not_for_ever() {
        assert!(all_gone(Duration::ZERO));
        let session = Alive::new();
        assert!(!all_gone(Duration::from_millis(1)));
        let other = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            drop(session);
        });
        assert!(all_gone(Duration::from_secs(60)));
        other.join().unwrap();
    }
}
