//! Burn's random numbers are one stream for the whole process: whoever needs certain ones has to be alone with it.

use burn::tensor::Device;
use std::sync::{Mutex, PoisonError};

static STREAM: Mutex<()> = Mutex::new(());

/// Draws from the stream of `seed`. Other calls, on other threads, wait until `draw` has ended; it must not call this again.
pub fn seeded<T>(device: &Device, seed: u64, draw: impl FnOnce() -> T) -> T {
    let _alone = STREAM.lock().unwrap_or_else(PoisonError::into_inner);
    device.seed(seed);
    draw()
}
