//! Whether the runtime of a model still works.
//!
//! A runtime may fail for good: after some errors of a GPU nothing runs any more, whatever it is given. Items that fail alone, one
//! after the other, or an error that speaks of the device, are a suspicion; that a batch of zeros fails as well confirms it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Items that fail in a row before the runtime is suspected.
const FAILURES: usize = 3;

/// Words, in lower case, of errors that have nothing to do with an item.
const OF_DEVICE: [&str; 5] = ["cuda error", "cuda failure", "cudnn", "cublas", "device"];
const OF_MEMORY: [&str; 3] = ["out of memory", "failed to allocate", "bad_alloc"];

/// Whether a runtime still works.
#[derive(Default)]
pub struct Health {
    failures: AtomicUsize,
    is_broken: AtomicBool,
}

impl Health {
    /// A batch came out well.
    pub fn works(&self) {
        self.failures.store(0, Ordering::Relaxed);
    }

    /// An item failed alone; whether it is likely that all others would.
    pub fn is_suspect(&self, reason: &str) -> bool {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        failures >= FAILURES || says(reason, &OF_DEVICE)
    }

    /// Nothing runs any more.
    pub fn break_down(&self) {
        self.is_broken.store(true, Ordering::SeqCst);
    }

    /// Whether nothing runs any more.
    pub fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::SeqCst)
    }
}

/// Whether a batch failed because it was too large for the memory that was left.
pub fn is_out_of_memory(reason: &str) -> bool {
    says(reason, &OF_MEMORY)
}

fn says(reason: &str, words: &[&str]) -> bool {
    let reason = reason.to_ascii_lowercase();
    words.iter().any(|word| reason.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_or_of_the_device_are_suspect() {
        let health = Health::default();
        assert_eq!([(); 2].map(|()| health.is_suspect("a bad item")), [false; 2]);
        health.works();
        assert_eq!([(); 3].map(|()| health.is_suspect("a bad item")), [false, false, true]);
        let health = Health::default();
        assert!(health.is_suspect("CUDA error 700: an illegal memory access was encountered"));
        assert!(!health.is_broken());
        assert!(is_out_of_memory("BFCArena: Failed to allocate memory for requested buffer of size 12845056"));
        assert!(!is_out_of_memory("a bad item"));
    }
}
