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
        handlers.came.store(0, Ordering::SeqCst);
        handlers.is_idle.store(false, Ordering::SeqCst);
        Ok(Self { is_idle: handlers.is_idle.clone(), came: handlers.came.clone() })
    }

    /// The signal that asks for an end, if one came.
    pub(crate) fn asked(&self) -> Option<i32> {
        match self.came.load(Ordering::SeqCst) {
            0 => None,
            signal => i32::try_from(signal).ok(),
        }
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
