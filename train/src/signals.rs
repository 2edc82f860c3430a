//! A polite end: SIGTERM and SIGINT let a run end its step and write a checkpoint.

use crate::Error;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// What the handlers of the process write to.
struct Handlers {
    /// Whether a signal does what it does to any process.
    is_idle: Arc<AtomicBool>,
    /// The signal that came, or 0.
    came: Arc<AtomicUsize>,
}

static HANDLERS: OnceLock<Handlers> = OnceLock::new();

/// Catches signals as long as it lives. A second signal ends the process at once.
#[derive(Debug)]
pub(crate) struct Signals {
    is_idle: Arc<AtomicBool>,
    came: Arc<AtomicUsize>,
}

impl Signals {
    pub(crate) fn catch() -> Result<Self, Error> {
        let handlers = match HANDLERS.get() {
            Some(handlers) => handlers,
            None => {
                let installed = install().map_err(|source| Error::Signals { source })?;
                HANDLERS.get_or_init(|| installed)
            }
        };
        Ok(handlers.catch())
    }

    /// The signal that asks for an end, if one came; it asks once.
    pub(crate) fn asked(&self) -> Option<i32> {
        take(&self.came)
    }
}

/// The signal that came when a run was behind its last step, where it was of no use, so that what comes next is not begun.
pub(crate) fn left() -> Option<i32> {
    HANDLERS.get().and_then(|handlers| take(&handlers.came))
}

fn take(came: &AtomicUsize) -> Option<i32> {
    match came.swap(0, Ordering::SeqCst) {
        0 => None,
        signal => i32::try_from(signal).ok(),
    }
}

impl Handlers {
    fn catch(&self) -> Signals {
        self.is_idle.store(false, Ordering::SeqCst);
        Signals { is_idle: self.is_idle.clone(), came: self.came.clone() }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.is_idle.store(true, Ordering::SeqCst);
    }
}

/// Handlers run in the order of their registration: the second signal finds what the first one left.
fn install() -> std::io::Result<Handlers> {
    let handlers = Handlers { is_idle: Arc::new(AtomicBool::new(true)), came: Arc::default() };
    for signal in [SIGTERM, SIGINT] {
        flag::register_conditional_default(signal, handlers.is_idle.clone())?;
        flag::register(signal, handlers.is_idle.clone())?;
        flag::register_usize(signal, handlers.came.clone(), signal as usize)?;
    }
    Ok(handlers)
}

/// The name of a signal.
pub(crate) fn name(signal: i32) -> &'static str {
    match signal {
        SIGINT => "SIGINT",
        _ => "SIGTERM",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_comes_behind_the_last_step_of_a_run_reaches_the_next_one() {
        let handlers = Handlers { is_idle: Arc::new(AtomicBool::new(true)), came: Arc::default() };
        let first = handlers.catch();
        assert_eq!(first.asked(), None);
        // As the handler does while the first run evaluates.
        handlers.came.store(SIGTERM as usize, Ordering::SeqCst);
        drop(first);
        let second = handlers.catch();
        assert_eq!([second.asked(), second.asked()], [Some(SIGTERM), None]);
    }
}
